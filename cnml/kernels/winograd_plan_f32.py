"""How a Winograd convolution runs: blocks, runs of tiles, memory."""
from __future__ import annotations

from math import ceil, prod
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import winograd_table as wt
from cnml.kernels.conv_plan_f32 import DENSE, Pixels
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_tiles import FORMS, VECTORS, Form, whole_rows, winograd_name
from cnml.parameter import aligned_empty

SHARED_TILES = 128           # up to here all tiles may be transformed before the products, whose tasks then share blocks of outputs:
FEW_TILES = 32               # up to here they are, because bands of tiles for several tasks would be short,
FAR_BYTES = 4 << 20          # and where the weights are so many that each should be read by one task, once
#: weights in bytes → tiles in a run: the farther away the weights are, the more tiles should use them on their way
RUNS: tuple[tuple[int, int], ...] = ((3 << 20, 16), (6 << 20, 32), (1 << 62, 64))
NEAR_BYTES = 3 << 20         # weights up to here stay near while one run of tiles follows the other
LEAST_CHANNELS = 16          # in and out of a group; with fewer the transforms cost more than the products save


class Block(NamedTuple):
    """Outputs of one group that are computed together."""

    output: int
    columns: int
    vectors: int
    group: int


class WinogradPlan(NamedTuple):
    """A planned Winograd convolution.

    Attributes
    ----------
    kernel : str
        Name in the kernel table.
    form : Form
    blocks : tuple of Block
        For packing.
    table : ndarray of int64
        Argument `table`.
    scratch_bytes : int
        Per task.
    steps : tuple of int
        The last argument of each instruction.
    reason : str
        For people.
    """

    kernel: str
    form: Form
    blocks: tuple[Block, ...]
    table: np.ndarray
    scratch_bytes: int
    steps: tuple[int, ...]
    reason: str


def forms_of(shape: Conv2dShape) -> tuple[Form, ...]:
    """The forms that can run it: of its kernel, with stride and dilation 1 and enough channels and outputs in a group."""
    least = max(isa().lanes, LEAST_CHANNELS)
    few = min(shape.channels // shape.group, shape.outputs // shape.group) < least
    if few or tuple(shape.stride) != (1, 1) or any(d != 1 and k != 1 for d, k in zip(shape.dilation, shape.kernel, strict=True)):
        return ()
    return tuple(f for f in FORMS if (f.ry, f.rx) == tuple(shape.kernel))


def tile_counts(shape: Conv2dShape, form: Form) -> tuple[int, int]:
    """Tiles down and across an image."""
    return ceil(shape.out[0] / form.my), ceil(shape.out[1] / form.mx)


def _row_bytes(shape: Conv2dShape) -> int:
    """From a transformed window to the next; rows a power of two apart would share few sets of the cache."""
    row = 4 * ceil(shape.channels / 16) * 16
    return row + 64 if row % 1024 == 0 else row


def weight_bytes(shape: Conv2dShape, form: Form) -> int:
    """Of the transformed and packed weights."""
    return 4 * form.count * shape.channels // shape.group * sum(b.vectors for b in cut_blocks(shape)) * isa().lanes


def wants_shared(shape: Conv2dShape, form: Form) -> bool:
    """Whether all tiles are transformed before the products."""
    tiles = shape.batch * prod(tile_counts(shape, form))
    return tiles <= FEW_TILES or tiles <= SHARED_TILES and weight_bytes(shape, form) >= FAR_BYTES


def cut_blocks(shape: Conv2dShape) -> tuple[Block, ...]:
    """Blocks of the widest tile, the rest in narrower ones such that no vector stays empty."""
    lanes, outputs = isa().lanes, shape.outputs // shape.group
    blocks = []
    for group in range(shape.group):
        first, left = 0, ceil(outputs / lanes)
        for nv in cut_vectors(left, VECTORS[lanes]):
            blocks.append(Block(group * outputs + first, min(nv * lanes, outputs - first), nv, group))
            first += nv * lanes
    return tuple(blocks)


def cut_vectors(count: int, widths: tuple[int, ...]) -> list[int]:
    """`count` as a sum of the widths, widest first; more than `count` only where no sum gives it."""
    narrowest = min(widths)
    parts = []
    while count > 0:
        fits = [w for w in widths if w == count or w + narrowest <= count]
        parts.append(fits[0] if fits else narrowest if count < narrowest else max(w for w in widths if w <= count))
        count -= parts[-1]
    return parts


def plan_winograd(shape: Conv2dShape, form: Form, *, pixels: Pixels = DENSE, shared: bool | None = None, run: int | None = None) -> WinogradPlan:
    """Lay out a Winograd convolution.

    Parameters
    ----------
    shape : Conv2dShape
    form : Form
        One of `forms_of(shape)`.
    pixels : Pixels
    shared : bool, optional
        Instead of the rule: transform all tiles first.
    run : int, optional
        Instead of the rule: tiles between two passes over the weights.

    Returns
    -------
    WinogradPlan

    Raises
    ------
    ValueError
        The form does not fit the shape.
    """
    if form not in forms_of(shape):
        raise ValueError(f"failed to plan a Winograd convolution {form.name} of {shape}: it takes kernels of {form.ry}x{form.rx} with stride and "
                         f"dilation 1 and groups of at least {LEAST_CHANNELS} channels and outputs")
    lanes, count, (tiles_y, tiles_x) = isa().lanes, form.count, tile_counts(shape, form)
    tiles, wide = shape.batch * tiles_y * tiles_x, VECTORS[lanes][0] * lanes
    v_row = _row_bytes(shape)
    if shared is None:
        shared = wants_shared(shape, form)
    if run is None:
        run = next(n for limit, n in RUNS if weight_bytes(shape, form) <= limit)
    run = ceil(tiles / ceil(tiles / run))
    v_product = (whole_rows(tiles if shared else run) + 8) * v_row
    v_product += 64 * (v_product // 64 % 2 == 0)
    v_bytes = ceil((count * v_product) / 64) * 64
    blocks = cut_blocks(shape)
    table = _table(shape, form, pixels.filled(shape), (tiles_y, tiles_x), run, (v_row, v_product, v_bytes), blocks)
    scratch = v_bytes + 4 * whole_rows(run) * count * wide + 4 * count * shape.channels + 2 * 4 * form.my * form.mx * wide + 8 * 64
    groups = f" in {shape.group} groups" if shape.group > 1 else ""
    reason = (f"winograd {form.name}: {count} products of {tiles} x {shape.channels // shape.group} x {shape.outputs // shape.group}{groups}, "
              f"{'all tiles' if shared else f'{run} tiles'} transformed at a time")
    steps = (wt.TRANSFORM, wt.PRODUCT) if shared else (wt.FUSED,)
    return WinogradPlan(winograd_name(form), form, blocks, table, ceil(scratch / 64) * 64, steps, reason)


def _table(shape: Conv2dShape, form: Form, pixels: Pixels, tiles: tuple[int, int], run: int, v: tuple[int, int, int],
           blocks: tuple[Block, ...]) -> np.ndarray:
    lanes, depth = isa().lanes, shape.channels // shape.group
    h = [0] * wt.HEADER
    h[wt.BATCH], h[wt.HEIGHT], h[wt.WIDTH], h[wt.CHANNELS] = shape.batch, shape.height, shape.width, shape.channels
    h[wt.X_PIXEL], h[wt.Y_PIXEL], h[wt.ADD_PIXEL] = (4 * int(p or 0) for p in pixels)
    (h[wt.OUT_HEIGHT], h[wt.OUT_WIDTH]), (h[wt.PAD_Y], h[wt.PAD_X]), (h[wt.TILES_Y], h[wt.TILES_X]) = shape.out, shape.pad, tiles
    h[wt.RUN], h[wt.DEPTH], (h[wt.V_ROW], h[wt.V_PRODUCT], h[wt.V_BYTES]) = run, depth, v
    h[wt.BLOCKS], h[wt.VECTORS], h[wt.TILES] = len(blocks), sum(b.vectors for b in blocks), shape.batch * tiles[0] * tiles[1]
    h[wt.NEAR] = int(run < h[wt.TILES] and weight_bytes(shape, form) <= NEAR_BYTES)
    h[wt.TILE_HEIGHT], h[wt.TILE_WIDTH], (h[wt.WINDOW_HEIGHT], h[wt.WINDOW_WIDTH]) = form.my, form.mx, form.size
    words, before = list(h), 0
    for b in blocks:
        words += [b.output, b.columns, b.vectors, before, 4 * b.group * depth, 4 * form.count * depth * before * lanes, 4 * before * lanes]
        before += b.vectors
    table = aligned_empty((len(words),), np.int64)
    table[:] = words
    return table

"""How a Winograd convolution runs: blocks, runs of tiles, memory."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import winograd_table as wt
from cnml.kernels.conv_plan_f32 import DENSE, Pixels
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_tiles import VECTORS, whole_rows, winograd_name
from cnml.parameter import aligned_empty

#: outputs of a tile along an axis
SIZES: tuple[int, ...] = (2, 4, 6)

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
    m : int
        Outputs of a tile along an axis.
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
    m: int
    blocks: tuple[Block, ...]
    table: np.ndarray
    scratch_bytes: int
    steps: tuple[int, ...]
    reason: str


def takes_winograd(shape: Conv2dShape) -> bool:
    """Whether the kernels can run it: 3x3, stride and dilation 1, enough channels and outputs in a group."""
    least = max(isa().lanes, LEAST_CHANNELS)
    return (tuple(shape.kernel) == (3, 3) and tuple(shape.stride) == (1, 1) and tuple(shape.dilation) == (1, 1)
            and min(shape.channels // shape.group, shape.outputs // shape.group) >= least)


def tile_counts(shape: Conv2dShape, m: int) -> tuple[int, int]:
    """Tiles down and across an image."""
    return ceil(shape.out[0] / m), ceil(shape.out[1] / m)


def _row_bytes(shape: Conv2dShape) -> int:
    """From a transformed window to the next; rows a power of two apart would share few sets of the cache."""
    row = 4 * ceil(shape.channels / 16) * 16
    return row + 64 if row % 1024 == 0 else row


def weight_bytes(shape: Conv2dShape, m: int) -> int:
    """Of the transformed and packed weights."""
    return 4 * (m + 2) ** 2 * shape.channels // shape.group * sum(b.vectors for b in cut_blocks(shape)) * isa().lanes


def wants_shared(shape: Conv2dShape, m: int) -> bool:
    """Whether all tiles are transformed before the products."""
    tiles = shape.batch * tile_counts(shape, m)[0] * tile_counts(shape, m)[1]
    return tiles <= FEW_TILES or tiles <= SHARED_TILES and weight_bytes(shape, m) >= FAR_BYTES


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


def plan_winograd(shape: Conv2dShape, m: int, *, pixels: Pixels = DENSE, shared: bool | None = None, run: int | None = None) -> WinogradPlan:
    """Lay out a Winograd convolution.

    Parameters
    ----------
    shape : Conv2dShape
        One that `takes_winograd`.
    m : int
        2, 4 or 6: outputs of a tile along an axis.
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
        The kernels cannot run the shape, or have no tile of that size.
    """
    if m not in SIZES or not takes_winograd(shape):
        raise ValueError(f"failed to plan a Winograd convolution F({m}x{m}, 3x3) of {shape}: tiles are of {', '.join(map(str, SIZES))} outputs, "
                         f"kernels of 3x3 with stride and dilation 1, groups of at least {LEAST_CHANNELS} channels and outputs")
    lanes, count, (tiles_y, tiles_x) = isa().lanes, (m + 2) ** 2, tile_counts(shape, m)
    tiles, wide = shape.batch * tiles_y * tiles_x, VECTORS[lanes][0] * lanes
    v_row = _row_bytes(shape)
    if shared is None:
        shared = wants_shared(shape, m)
    if run is None:
        run = next(n for limit, n in RUNS if weight_bytes(shape, m) <= limit)
    run = ceil(tiles / ceil(tiles / run))
    v_product = (whole_rows(tiles if shared else run) + 8) * v_row
    v_product += 64 * (v_product // 64 % 2 == 0)
    v_bytes = ceil((count * v_product) / 64) * 64
    blocks = cut_blocks(shape)
    table = _table(shape, m, pixels.filled(shape), (tiles_y, tiles_x), run, (v_row, v_product, v_bytes), blocks)
    scratch = v_bytes + 4 * whole_rows(run) * count * wide + 4 * count * shape.channels + 2 * 4 * m * m * wide + 8 * 64
    reason = (f"winograd F({m}x{m}): {count} products of {tiles} x {shape.channels // shape.group} x {shape.outputs // shape.group}"
              f"{f' in {shape.group} groups' if shape.group > 1 else ''}, {'all tiles' if shared else f'{run} tiles'} transformed at a time")
    return WinogradPlan(winograd_name(m), m, blocks, table, ceil(scratch / 64) * 64, (wt.TRANSFORM, wt.PRODUCT) if shared else (wt.FUSED,), reason)


def _table(shape: Conv2dShape, m: int, pixels: Pixels, tiles: tuple[int, int], run: int, v: tuple[int, int, int],
           blocks: tuple[Block, ...]) -> np.ndarray:
    lanes, depth = isa().lanes, shape.channels // shape.group
    h = [0] * wt.HEADER
    h[wt.BATCH], h[wt.HEIGHT], h[wt.WIDTH], h[wt.CHANNELS] = shape.batch, shape.height, shape.width, shape.channels
    h[wt.X_PIXEL], h[wt.Y_PIXEL], h[wt.ADD_PIXEL] = (4 * int(p or 0) for p in pixels)
    (h[wt.OUT_HEIGHT], h[wt.OUT_WIDTH]), (h[wt.PAD_Y], h[wt.PAD_X]), (h[wt.TILES_Y], h[wt.TILES_X]) = shape.out, shape.pad, tiles
    h[wt.RUN], h[wt.DEPTH], (h[wt.V_ROW], h[wt.V_PRODUCT], h[wt.V_BYTES]) = run, depth, v
    h[wt.BLOCKS], h[wt.VECTORS], h[wt.TILES] = len(blocks), sum(b.vectors for b in blocks), shape.batch * tiles[0] * tiles[1]
    h[wt.NEAR] = int(run < h[wt.TILES] and weight_bytes(shape, m) <= NEAR_BYTES)
    words, before = list(h), 0
    for b in blocks:
        words += [b.output, b.columns, b.vectors, before, 4 * b.group * depth, 4 * (m + 2) ** 2 * depth * before * lanes, 4 * before * lanes]
        before += b.vectors
    table = aligned_empty((len(words),), np.int64)
    table[:] = words
    return table

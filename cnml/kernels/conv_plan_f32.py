"""Which kernel runs a two-dimensional float32 convolution, with which tile, blocks and table: one pure function over a table of variants."""
from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_blocking import Blocking, Product, blocking
from cnml.kernels.conv_cost_f32 import blocking_cost, candidates
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import (
    DEPTHWISE_TILES,
    NARROW_TILES,
    SLIDING_KERNELS,
    SLIDING_STRIDES,
    SLIDING_TILES,
    Tile,
    depthwise_name,
    kernel_name,
    narrow_name,
    sliding_name,
)
from cnml.parameter import aligned_empty

ITEMS = 16                   # at least so many chunks or bands for the tasks to share, in kernels that do not cut them
BAND_LINES = 16              # of a depthwise convolution
NARROW_OUTPUTS = 4           # up to here vectors lie along the input channels
STAGE_CHANNELS = 8           # up to here a kernel row times the channels is one run of memory worth a tap


class Phase(NamedTuple):
    """One grid of output pixels that share their taps."""

    grid: tuple[int, int]
    step: tuple[int, int]
    out_first: tuple[int, int]
    out_step: tuple[int, int]
    taps: tuple[tuple[int, int], ...]     # position of each tap's input relative to the pixel's
    source: tuple[tuple[int, int], ...]   # position of its weights in the kernel; the tap of a staged row covers the row from there


class ConvPlan(NamedTuple):
    """A chosen kernel.

    Attributes
    ----------
    kernel : str
        Name in the kernel table.
    nr : int
        Output channels of a block of weights.
    phases : tuple of Phase
        For packing.
    variant : str
        Row of `VARIANTS`.
    table : ndarray of int64
        Argument `table`.
    scratch_bytes : int
        Per task.
    reason : str
        For people.
    """

    kernel: str
    nr: int
    phases: tuple[Phase, ...]
    variant: str
    table: np.ndarray
    scratch_bytes: int
    reason: str


class Pixels(NamedTuple):
    """Elements from one pixel to the next, of tensors that are part of wider ones; None is dense."""

    x: int | None = None
    y: int | None = None
    add: int | None = None

    def filled(self, shape: Conv2dShape) -> Pixels:
        """With the dense values."""
        return Pixels(self.x or shape.channels, self.y or shape.outputs, self.add or shape.outputs)


DENSE = Pixels()
OWN_TILES = {"depthwise": DEPTHWISE_TILES, "narrow": NARROW_TILES}


class Variant(NamedTuple):
    """A way to run a convolution.

    Attributes
    ----------
    name : str
    applies : callable
        (shape, input is plain, input is dense) → whether it can run it and should, unless an earlier row can.
    staged : int
        Word STAGED of the table.
    """

    name: str
    applies: Callable[[Conv2dShape, bool, bool], bool]
    staged: int


#: the first row that applies is taken
VARIANTS: tuple[Variant, ...] = (
    Variant("sliding", lambda s, plain, dense: not plain and takes_sliding(s), ct.DIRECT),
    Variant("depthwise", lambda s, plain, dense: not plain and s.group == s.channels > 1, ct.DIRECT),
    Variant("narrow", lambda s, plain, dense: not plain and s.outputs // s.group <= NARROW_OUTPUTS and s.channels // s.group >= 8, ct.DIRECT),
    Variant("first", lambda s, plain, dense: plain and takes_plain(s), ct.STAGE_PLAIN),
    Variant("rows", lambda s, plain, dense: not plain and dense and takes_plain(s), ct.STAGE_NHWC),
    Variant("direct", lambda s, plain, dense: not plain, ct.DIRECT),
)


def plan_conv2d(shape: Conv2dShape, *, plain_input: bool = False, pixels: Pixels = DENSE, tile: Tile | None = None, variant: str = "",
                panel_outer: bool | None = None, item: int = 4) -> ConvPlan:
    """Choose how a convolution on channels-last images runs.

    Parameters
    ----------
    shape : Conv2dShape
    plain_input : bool
        The input lies in Caffe's order instead (only for `takes_plain` shapes).
    pixels : Pixels
    tile : Tile, optional
        Instead of the cheapest of the table.
    variant : str
        A row of `VARIANTS` to take instead of the first that applies.
    panel_outer : bool, optional
        Whether a block of weights stays while all pixels pass, instead of the cheaper order.
    item : int
        Bytes of a weight, for the choice; the plan names the kernel for 4 (see `cnml.half_weights.half_name`).

    Returns
    -------
    ConvPlan

    Raises
    ------
    ValueError
        No row applies: a plain input of many channels or groups.
    """
    rows = [v for v in VARIANTS if v.applies(shape, plain_input, pixels.x in (None, shape.channels)) and variant in ("", v.name)]
    if not rows:
        why = f"variant '{variant}' does not apply" if variant else "no variant takes it"
        layout = "plain" if plain_input else "channels-last"
        raise ValueError(f"failed to plan a convolution of {shape.channels} channels in {shape.group} groups with {layout} input: {why}; "
                         f"known are {', '.join(v.name for v in VARIANTS)}")
    phase = conv_phase(shape, rows[0].staged != ct.DIRECT)
    if rows[0].name == "sliding":
        return _plan_sliding(shape, phase, pixels.filled(shape), tile or SLIDING_TILES[isa().lanes][0])
    return _plan(shape, (phase,), shape.out, pixels.filled(shape), rows[0], tile, panel_outer, item)


def plan_deconv2d(shape: Conv2dShape, out: tuple[int, int], *, pixels: Pixels = DENSE, tile: Tile | None = None) -> ConvPlan:
    """Choose how a deconvolution runs: one phase for every residue of the output position modulo the stride.

    Parameters
    ----------
    shape : Conv2dShape
        `height` and `width` are the input's.
    out : (int, int)
        Output height and width.
    pixels : Pixels
    tile : Tile, optional

    Returns
    -------
    ConvPlan
    """
    row = next(v for v in VARIANTS if v.staged == ct.DIRECT and v.name != "sliding" and v.applies(shape, False, True))
    return _plan(shape, deconv_phases(shape, out), out, pixels.filled(shape), row, tile)


def takes_plain(shape: Conv2dShape) -> bool:
    """Whether the input may lie in Caffe's order: few channels, as in a first layer."""
    return shape.channels <= STAGE_CHANNELS and shape.group == 1 and shape.dilation[1] == 1 and shape.out[1] * shape.stride[1] <= 4096


def takes_sliding(shape: Conv2dShape) -> bool:
    """Whether it is a depthwise convolution of a kind that `cnml.kernels.sliding_f32` runs."""
    return (shape.group == shape.channels == shape.outputs > 1 and shape.dilation == (1, 1) and shape.kernel[1] in SLIDING_KERNELS
            and shape.stride[1] in SLIDING_STRIDES)


def conv_phase(shape: Conv2dShape, staged: bool) -> Phase:
    """The only phase of a convolution; staged, a tap is a row of the kernel."""
    (kh, kw), (ph, pw), (dh, dw) = shape.kernel, shape.pad, shape.dilation
    source = tuple((y, x) for y in range(kh) for x in range(1 if staged else kw))
    return Phase(shape.out, shape.stride, (0, 0), (1, 1), tuple((y * dh - ph, x * dw - pw) for y, x in source), source)


def deconv_phases(shape: Conv2dShape, out: tuple[int, int]) -> tuple[Phase, ...]:
    """The phases of a deconvolution: output position o takes kernel position k from input (o + pad - dilation * k) / stride where that is whole."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = shape.kernel, shape.stride, shape.pad, shape.dilation
    phases = []
    for ry in range(min(sh, out[0])):
        for rx in range(min(sw, out[1])):
            source = tuple((y, x) for y in range(kh) for x in range(kw) if (ry + ph - dh * y) % sh == 0 and (rx + pw - dw * x) % sw == 0)
            taps = tuple(((ry + ph - dh * y) // sh, (rx + pw - dw * x) // sw) for y, x in source)
            phases.append(Phase((ceil((out[0] - ry) / sh), ceil((out[1] - rx) / sw)), (1, 1), (ry, rx), (sh, sw), taps, source))
    return tuple(phases)


def choose_tile(tiles: tuple[Tile, ...], pixels: int, outputs: int, lanes: int) -> Tile:
    """The tile with the least time for a product of `pixels` rows and `outputs` columns, unused sums counted."""
    return min(tiles, key=lambda t: ceil(pixels / t.mr) * t.mr * ceil(outputs / (t.nv * lanes)) * t.nv / t.share)


def _cut(product: Product, variant: Variant, tile: Tile | None, panel_outer: bool | None) -> Blocking:
    """The tile and the loops: the cheapest by `cnml.kernels.conv_cost_f32`, or the one that a kernel without an order of loops has."""
    lanes = isa().lanes
    if variant.name not in OWN_TILES:
        return min(candidates(product, [tile] if tile else (), panel_outer), key=lambda b: blocking_cost(product, b))
    unit = 1 if variant.name == "narrow" else lanes
    outputs = product.shape.channels if variant.name == "depthwise" else product.outputs
    tile = tile or choose_tile(OWN_TILES[variant.name][lanes], product.pixels, outputs, unit)
    return blocking(product, tile, tile.nv * unit, False, items=ITEMS, revisit=False)


def _plan(shape: Conv2dShape, phases: tuple[Phase, ...], out: tuple[int, int], pixels: Pixels, variant: Variant, tile: Tile | None,
          panel_outer: bool | None = None, item: int = 4) -> ConvPlan:
    lanes, staged, depthwise, narrow = isa().lanes, variant.staged != ct.DIRECT, variant.name == "depthwise", variant.name == "narrow"
    depth, group_outputs = shape.channels // shape.group * (shape.kernel[1] if staged else 1), shape.outputs // shape.group
    product = Product(shape, tuple(p.grid for p in phases), tuple(len(p.taps) for p in phases), depth, group_outputs, staged, item)
    (mr, nv, _), panel_outer, chunk, taps_block, depth_block = _cut(product, variant, tile, panel_outer)
    nr, taps = nv * (1 if narrow else lanes), max(product.taps)
    padded = group_outputs * ceil(shape.channels / nr) * nr if depthwise else shape.group * ceil(group_outputs / nr) * nr
    packed_depth = ceil(depth / lanes) * lanes if narrow else depth
    h = table_header(shape, out, pixels, chunk)
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP] = depth, 4 * depth, shape.group, group_outputs
    h[ct.PANEL_OUTER], h[ct.STAGED], h[ct.PHASES] = int(panel_outer), variant.staged, len(phases)
    h[ct.TAPS_BLOCK], h[ct.DEPTH_BLOCK] = taps_block, depth_block
    table = phase_table(h, phases, packed_depth * padded * 4)
    lines = (chunk // phases[0].grid[1] - 1) * shape.stride[0] + (shape.kernel[0] - 1) * shape.dilation[0] + 1 if staged else 0
    wide = (phases[0].grid[1] - 1) * shape.stride[1] + shape.kernel[1]
    scratch = 64 + 4 * shape.channels + 4 * mr * nr + 8 * mr + 8 * (chunk + mr) * (taps + 4) + 8 * taps + 4 * lines * wide * shape.channels + 8 * 64
    reason = f"{variant.name}, {isa().name}: {mr}x{nr} tile, {'weights' if panel_outer else 'pixels'} outside, {chunk} pixels a chunk"
    if (taps_block, depth_block) != (max(taps, 1), depth):
        reason += f", sums revisited every {min(taps_block, taps) * depth_block} products"
    name = {"depthwise": depthwise_name, "narrow": narrow_name}.get(variant.name, kernel_name)
    return ConvPlan(name(mr, nr), nr, phases, variant.name, table, ceil(scratch / 64) * 64, reason)


def table_header(shape: Conv2dShape, out: tuple[int, int], pixels: Pixels, chunk: int) -> list[int]:
    """The words that every variant has."""
    h = [0] * ct.HEADER
    h[ct.BATCH], h[ct.HEIGHT], h[ct.WIDTH], h[ct.CHANNELS], h[ct.ZEROS] = shape.batch, shape.height, shape.width, shape.channels, shape.channels
    h[ct.X_PIXEL], h[ct.Y_PIXEL], h[ct.ADD_PIXEL] = (4 * int(p or 0) for p in pixels)
    h[ct.OUT_HEIGHT], h[ct.OUT_WIDTH], h[ct.CHUNK] = *out, chunk
    return h


def _plan_sliding(shape: Conv2dShape, phase: Phase, pixels: Pixels, tile: Tile) -> ConvPlan:
    """Bands of lines as low as keep the tasks busy, and not so high that going down them touches more pages than the address cache holds."""
    (height, width), nr = shape.out, tile.nv * isa().lanes
    blocks = ceil(shape.channels / nr)
    bands = max(ceil(height / BAND_LINES), min(ceil(ITEMS / blocks), height))
    lines = ceil(height / bands)
    h = table_header(shape, shape.out, pixels, lines * width)
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP], h[ct.PHASES] = 1, 4, shape.group, 1, 1
    scratch = sliding_scratch(shape, tile, lines)
    reason = f"sliding, {isa().name}: {tile.mr} pixels x {nr} channels, {lines} lines a band"
    name = sliding_name(tile.mr, nr, shape.kernel[1], shape.stride[1])
    return ConvPlan(name, nr, (phase,), "sliding", phase_table(h, (phase,), 0), scratch, reason)


def sliding_scratch(shape: Conv2dShape, tile: Tile, lines: int) -> int:
    """Bytes that a task needs for a band of so many lines."""
    wide = (ceil(shape.out[1] / tile.mr) * tile.mr - 1) * shape.stride[1] + shape.kernel[1]
    return ceil((4 * shape.channels + 64 + 8 * wide * ((lines - 1) * shape.stride[0] + shape.kernel[0])) / 64) * 64


def phase_table(header: list[int], phases: tuple[Phase, ...], tap_bytes: int) -> np.ndarray:
    """The words of the header, the phases and their taps; a tap of the weights takes `tap_bytes`."""
    words, taps, weights = list(header), [], 0
    first = ct.HEADER + len(phases) * ct.PHASE
    for p in phases:
        ys, xs = [t[0] for t in p.taps] or [0], [t[1] for t in p.taps] or [0]
        max_x = max(xs) + (header[ct.DEPTH] // header[ct.CHANNELS] - 1 if header[ct.STAGED] else 0)
        words += [*p.grid, *p.step, *p.out_first, *p.out_step, weights, len(p.taps), first + len(taps), min(ys), max(ys), min(xs), max_x]
        for y, x in p.taps:
            taps += [y, x, (y * header[ct.WIDTH] + x) * header[ct.X_PIXEL]]
        weights += len(p.taps) * tap_bytes
    table = aligned_empty((len(words) + len(taps),), np.int64)
    table[:] = words + taps
    return table

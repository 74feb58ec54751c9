"""Which kernel runs a two-dimensional float32 convolution, with which tile, blocks and table: one pure function over a table of variants."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_tiles import TILES, Tile, kernel_name
from cnml.parameter import aligned_empty

PANEL_BYTES = 256 * 1024     # of weights between two passes over the sums: a quarter of a common second-level cache
WEIGHTS_BYTES = 512 * 1024   # weights up to this size stay in the second-level cache, so pixels go outside
POINTER_BYTES = 32 * 1024
INPUT_BYTES = 96 * 1024      # of a chunk's input
STAGE_CHANNELS = 8           # up to here a kernel row times the channels is one run of memory worth a tap


class Conv2dShape(NamedTuple):
    """Geometry of a convolution; a pair is (vertical, horizontal)."""

    batch: int
    channels: int
    height: int
    width: int
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    group: int = 1

    @property
    def out(self) -> tuple[int, int]:
        """Output height and width (Caffe's rule: division truncates towards zero)."""
        h, w = (int((size + 2 * p - (d * (k - 1) + 1)) / s) + 1 for size, k, s, p, d in
                zip((self.height, self.width), self.kernel, self.stride, self.pad, self.dilation, strict=True))
        return h, w


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
    staged : bool
        A tap is a whole kernel row.
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
    staged: bool
    table: np.ndarray
    scratch_bytes: int
    reason: str


def plan_conv2d(shape: Conv2dShape, *, plain_input: bool = False, x_pixel: int | None = None, y_pixel: int | None = None, add_pixel: int | None = None,
                tile: Tile | None = None, staged: bool | None = None) -> ConvPlan:
    """Choose how a convolution on channels-last images runs.

    Parameters
    ----------
    shape : Conv2dShape
    plain_input : bool
        The input lies in Caffe's order instead (only for `takes_plain` shapes).
    x_pixel, y_pixel, add_pixel : int, optional
        Elements from one pixel to the next, when a tensor is part of a wider one; default dense.
    tile : Tile, optional
        Instead of the cheapest of the table.
    staged : bool, optional
        Instead of the rule on the number of channels.

    Returns
    -------
    ConvPlan

    Raises
    ------
    ValueError
        A plain input of a shape that cannot take one.
    """
    if plain_input and not takes_plain(shape):
        raise ValueError(f"a convolution of {shape.channels} channels in {shape.group} groups does not take its input in plain layout")
    stage = takes_plain(shape) and x_pixel is None if staged is None else staged
    stage = stage or plain_input
    phases = (_conv_phase(shape, stage),)
    x_pixel, y_pixel, add_pixel = x_pixel or shape.channels, y_pixel or shape.outputs, add_pixel or shape.outputs
    return _plan(shape, phases, shape.out, (x_pixel, y_pixel, add_pixel), (ct.STAGE_PLAIN if plain_input else ct.STAGE_NHWC) if stage else ct.DIRECT, tile)


def plan_deconv2d(shape: Conv2dShape, out: tuple[int, int], *, y_pixel: int | None = None, tile: Tile | None = None) -> ConvPlan:
    """Choose how a deconvolution runs: one phase for every residue of the output position modulo the stride.

    Parameters
    ----------
    shape : Conv2dShape
        `height` and `width` are the input's.
    out : (int, int)
        Output height and width.
    y_pixel : int, optional
        Elements between output pixels; default dense.
    tile : Tile, optional

    Returns
    -------
    ConvPlan
    """
    return _plan(shape, deconv_phases(shape, out), out, (shape.channels, y_pixel or shape.outputs, shape.outputs), ct.DIRECT, tile)


def takes_plain(shape: Conv2dShape) -> bool:
    """Whether the input may lie in Caffe's order: few channels, as in a first layer."""
    return shape.channels <= STAGE_CHANNELS and shape.group == 1 and shape.dilation[1] == 1 and shape.out[1] <= 512


def _conv_phase(shape: Conv2dShape, staged: bool) -> Phase:
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


def choose_tile(pixels: int, outputs: int, lanes: int) -> Tile:
    """The tile of the table with the least time for a product of `pixels` rows and `outputs` columns, unused sums counted."""
    return min(TILES[lanes], key=lambda t: ceil(pixels / t.mr) * t.mr * ceil(outputs / (t.nv * lanes)) * t.nv / t.share)


def _plan(shape: Conv2dShape, phases: tuple[Phase, ...], out: tuple[int, int], steps: tuple[int, int, int], staged: int, tile: Tile | None) -> ConvPlan:
    lanes = isa().lanes
    group_outputs = shape.outputs // shape.group
    pixels = max(p.grid[0] * p.grid[1] for p in phases) * shape.batch
    tile = tile or choose_tile(pixels, group_outputs, lanes)
    mr, nr = tile.mr, tile.nv * lanes
    depth = shape.channels // shape.group * (shape.kernel[1] if staged else 1)
    taps = max(len(p.taps) for p in phases)
    weights = sum(len(p.taps) for p in phases) * depth * ceil(group_outputs / nr) * nr * shape.group * 4
    panel_outer = weights > WEIGHTS_BYTES and not staged
    chunk = _staged_chunk(shape, phases[0], mr) if staged else _chunk(shape, pixels, taps, mr, panel_outer)
    taps_block, depth_block = _blocks(taps, depth, nr, pixels > mr)
    h = [0] * ct.HEADER
    h[ct.BATCH], h[ct.HEIGHT], h[ct.WIDTH], h[ct.CHANNELS] = shape.batch, shape.height, shape.width, shape.channels
    h[ct.X_PIXEL], h[ct.Y_PIXEL], h[ct.ADD_PIXEL] = (4 * s for s in steps)
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP] = depth, 4 * depth, shape.group, group_outputs
    h[ct.OUT_HEIGHT], h[ct.OUT_WIDTH], h[ct.CHUNK], h[ct.PANEL_OUTER], h[ct.STAGED] = *out, chunk, int(panel_outer), staged
    h[ct.TAPS_BLOCK], h[ct.DEPTH_BLOCK], h[ct.ZEROS], h[ct.PHASES] = taps_block, depth_block, shape.channels, len(phases)
    table = _table(h, phases, (shape.width * steps[0] * 4, steps[0] * 4), depth * ceil(group_outputs / nr) * nr * shape.group * 4)
    lines = (chunk // phases[0].grid[1] - 1) * shape.stride[0] + (shape.kernel[0] - 1) * shape.dilation[0] + 1 if staged else 0
    wide = (phases[0].grid[1] - 1) * shape.stride[1] + shape.kernel[1]
    scratch = 4 * shape.channels + 4 * mr * nr + 8 * mr + 8 * (chunk + mr) * (taps + 1) + 4 * lines * wide * shape.channels + 6 * 64
    reason = f"{mr}x{nr} tile, {'rows staged' if staged else 'taps by pointer'}, {'weights' if panel_outer else 'pixels'} outside, {chunk} pixels a chunk"
    if (taps_block, depth_block) != (max(taps, 1), depth):
        reason += f", sums revisited every {min(taps_block, taps) * depth_block} products"
    return ConvPlan(kernel_name(mr, nr), nr, phases, bool(staged), table, ceil(scratch / 64) * 64, reason)


def _chunk(shape: Conv2dShape, pixels: int, taps: int, mr: int, panel_outer: bool) -> int:
    """Pixels of a chunk: few enough that its pointers, and its inputs where all channels pass over them, stay in cache."""
    limit = POINTER_BYTES // (8 * max(taps, 1))
    if not panel_outer:
        per_pixel = 4 * shape.channels * min(shape.stride[0] * shape.stride[1], max(taps, 1))
        limit = min(limit, INPUT_BYTES // per_pixel)
    return min(max(limit // mr, 1), ceil(pixels / mr)) * mr


def _staged_chunk(shape: Conv2dShape, phase: Phase, mr: int) -> int:
    """Whole grid lines: up to eight, as many as waste least of the last tile."""
    lines = range(1, min(8, phase.grid[0]) + 1)
    wide = phase.grid[1]
    overlap = max(shape.kernel[0] * shape.dilation[0] - shape.stride[0], 0)
    return wide * min(lines, key=lambda n: (ceil(n * wide / mr) * mr / (n * wide)) * (1 + 0.05 * overlap / (n * shape.stride[0])))


def _blocks(taps: int, depth: int, nr: int, revisit: bool) -> tuple[int, int]:
    """Taps and depth between two visits of the sums: a panel of weights that stays in cache while the pixels pass."""
    steps = PANEL_BYTES // (4 * nr)
    if not revisit or taps * depth <= steps:
        return max(taps, 1), depth
    if depth >= steps:
        parts = ceil(depth / steps)
        return 1, ceil(depth / parts / 4) * 4
    parts = ceil(taps / max(steps // depth, 1))
    return ceil(taps / parts), depth


def _table(header: list[int], phases: tuple[Phase, ...], x_steps: tuple[int, int], tap_bytes: int) -> np.ndarray:
    words, taps, weights = list(header), [], 0
    first = ct.HEADER + len(phases) * ct.PHASE
    for p in phases:
        ys, xs = [t[0] for t in p.taps] or [0], [t[1] for t in p.taps] or [0]
        max_x = max(xs) + (header[ct.DEPTH] // header[ct.CHANNELS] - 1 if header[ct.STAGED] else 0)
        words += [*p.grid, *p.step, *p.out_first, *p.out_step, weights, len(p.taps), first + len(taps), min(ys), max(ys), min(xs), max_x]
        for y, x in p.taps:
            taps += [y, x, y * x_steps[0] + x * x_steps[1]]
        weights += len(p.taps) * tap_bytes
    table = aligned_empty((len(words) + len(taps),), np.int64)
    table[:] = words + taps
    return table

"""How an INT8 convolution runs: the tiles and tables of the float32 kernels over words of four channels."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_blocking import Blocking, Product, blocking
from cnml.kernels.conv_cost_f32 import blocking_cost
from cnml.kernels.conv_plan_f32 import Phase, conv_phase, phase_table, table_header, takes_plain
from cnml.kernels.conv_plan_f32 import Pixels as Words
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import TILES, Tile

#: channels in a word
WORD = 4


class Bytes(NamedTuple):
    """Bytes from one pixel to the next: of codes a multiple of `WORD`."""

    x: int
    y: int
    add: int = 0


class ConvPlanInt8(NamedTuple):
    """A chosen kernel.

    Attributes
    ----------
    tile : Tile
    nr : int
        Output channels of a block of weights.
    depth : int
        Words of a tap.
    phase : Phase
    staged : bool
        A tap is a row of the kernel.
    table : ndarray of int64
        Argument `table`.
    scratch_bytes : int
        Per task.
    cost : float
        Estimated cycles, see `cnml.kernels.conv_cost_f32`.
    reason : str
        For people.
    """

    tile: Tile
    nr: int
    depth: int
    phase: Phase
    staged: bool
    table: np.ndarray
    scratch_bytes: int
    cost: float
    reason: str


def takes_int8(shape: Conv2dShape) -> bool:
    """Whether the kernels can run it: the channels of each group are whole words, or there is one group (whose last word is filled up)."""
    return shape.group == 1 or shape.channels // shape.group % WORD == 0


def plan_conv2d_qs8(shape: Conv2dShape, pixels: Bytes, zero: int, *, tile: Tile | None = None) -> ConvPlanInt8:
    """Choose how an INT8 convolution on channels-last codes runs.

    Parameters
    ----------
    shape : Conv2dShape
        In channels; see `takes_int8`.
    pixels : Bytes
    zero : int
        The code of 0 in the input, which lies outside of the image.
    tile : Tile, optional
        Instead of the cheapest.

    Returns
    -------
    ConvPlanInt8

    Raises
    ------
    ValueError
        Groups that are not whole words.
    """
    if not takes_int8(shape):
        raise ValueError(f"failed to plan an INT8 convolution of {shape.channels} channels in {shape.group} groups: a group must have a multiple of "
                         f"{WORD} channels")
    lanes, words = isa().lanes, shape._replace(channels=ceil(shape.channels / WORD))
    staged = takes_plain(words) and words.kernel[1] > 1 and pixels.x == WORD * words.channels
    phase, group_outputs = conv_phase(words, staged), shape.outputs // shape.group
    depth = words.channels // shape.group * (shape.kernel[1] if staged else 1)
    product = Product(words, (shape.out,), (len(phase.taps),), depth, group_outputs, staged)
    cut = _cut(product, lanes, tile)
    nr = cut.tile.nv * lanes
    h = table_header(words, shape.out, Words(pixels.x // WORD, 1, 1), cut.chunk)
    h[ct.Y_PIXEL], h[ct.ADD_PIXEL], h[ct.PAD] = pixels.y, pixels.add, int(np.array([zero] * 4, np.uint8).view(np.int32)[0])
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP] = depth, 4 * depth, shape.group, group_outputs
    h[ct.PANEL_OUTER], h[ct.STAGED], h[ct.PHASES] = int(cut.panel_outer), ct.STAGE_NHWC if staged else ct.DIRECT, 1
    h[ct.TAPS_BLOCK], h[ct.DEPTH_BLOCK] = len(phase.taps), depth
    table = phase_table(h, (phase,), 4 * depth * shape.group * ceil(group_outputs / nr) * nr)
    reason = (f"{'rows' if staged else 'direct'} int8, {isa().name}: {cut.tile.mr}x{nr} tile, {'weights' if cut.panel_outer else 'pixels'} outside, "
              f"{cut.chunk} pixels a chunk")
    return ConvPlanInt8(cut.tile, nr, depth, phase, staged, table, _scratch(words, cut, nr, phase, staged), blocking_cost(product, cut), reason)


def _cut(product: Product, lanes: int, tile: Tile | None) -> Blocking:
    """The cheapest tile and order; sums are never revisited, since codes cannot hold them."""
    orders = [False] if product.staged else [False, True]
    ways = [blocking(product, t, t.nv * lanes, o, revisit=False) for t in ([tile] if tile else TILES[lanes]) for o in orders]
    return min(ways, key=lambda b: blocking_cost(product, b))


def _scratch(words: Conv2dShape, cut: Blocking, nr: int, phase: Phase, staged: bool) -> int:
    """A pixel of padding, two tiles for the last channels, what `conv_addressing` makes of a chunk, and staged lines."""
    mr, taps = cut.tile.mr, len(phase.taps)
    lines = (cut.chunk // phase.grid[1] - 1) * words.stride[0] + (words.kernel[0] - 1) * words.dilation[0] + 1 if staged else 0
    wide = (phase.grid[1] - 1) * words.stride[1] + words.kernel[1]
    pointers = 8 * mr + 8 * (cut.chunk + mr) * (taps + 4) + 8 * taps
    return ceil((4 * words.channels + 8 * mr * nr + pointers + 4 * lines * wide * words.channels + 10 * 64) / 64) * 64

"""How an INT8 convolution that skips words of weights runs."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_plan_f32 import Pixels as Words
from cnml.kernels.conv_plan_f32 import conv_phase, phase_table, table_header
from cnml.kernels.conv_plan_qs8 import WORD, Bytes, takes_int8
from cnml.kernels.conv_shape import Conv2dShape

#: words of a part of the panel, about: with the vectors of a tile it stays in the first two caches
PART_WORDS = 146
#: vectors of pixels that a tile may have
MOST_VECTORS = 8
QUAD = 4


class SparseTile(NamedTuple):
    """Pixels of a tile: some vectors of them, or whole lines.

    Attributes
    ----------
    vectors : int
        1 to `MOST_VECTORS`.
    lines : int
        Of the output, 0 for none: their input is first copied with what lies outside of the image, so that no pixel needs pointers of its own for
        every kernel position.
    """

    vectors: int
    lines: int = 0


class SparsePlanInt8(NamedTuple):
    """The layout of a sparse convolution.

    Attributes
    ----------
    nr : int
        Outputs of a block.
    tile : SparseTile
    taps, depth : int
        Kernel positions, and words of one in a group; in tiles of lines kernel rows, and words of one.
    taps_block, depth_block : int
        Those of a part of the panel.
    table : ndarray of int64
        Argument `table`.
    scratch_bytes : int
        Per task.
    reason : str
        For people.
    """

    nr: int
    tile: SparseTile
    taps: int
    depth: int
    taps_block: int
    depth_block: int
    table: np.ndarray
    scratch_bytes: int
    reason: str

    @property
    def pitch(self) -> int:
        """Bytes between two rows of the panel."""
        return 4 * isa().lanes * self.tile.vectors


def part_of(taps: int, depth: int) -> tuple[int, int]:
    """Taps and words of each in a part of the panel: all of several taps, or some words of one."""
    if taps * depth <= PART_WORDS:
        return max(taps, 1), depth
    if depth >= PART_WORDS:
        return 1, min(ceil(depth / ceil(depth / PART_WORDS) / QUAD) * QUAD, depth)
    return ceil(taps / ceil(taps / (PART_WORDS // depth))), depth


def sparse_tiles(shape: Conv2dShape, dense: bool) -> list[SparseTile]:
    """The tiles that there are for a convolution.

    Parameters
    ----------
    shape : Conv2dShape
        In channels.
    dense : bool
        Whether the input has no bytes of other tensors between its pixels.
    """
    lanes, (height, width) = isa().lanes, shape.out
    every = ceil(shape.batch * height * width / lanes)
    tiles = [SparseTile(v) for v in range(1, min(MOST_VECTORS, every) + 1)]
    if dense and shape.group == 1 and shape.kernel[1] > 1 and shape.dilation[1] == 1:
        tiles += [SparseTile(ceil(n * width / lanes), n) for n in range(1, height + 1) if n * width <= MOST_VECTORS * lanes]
    return tiles


def words_of(shape: Conv2dShape, lines: bool) -> tuple[int, int]:
    """Taps and depth, see `SparsePlanInt8`."""
    (kh, kw), depth = shape.kernel, ceil(shape.channels / WORD) // shape.group
    return (kh, kw * depth) if lines else (kh * kw, depth)


def plan_sparse_qs8(shape: Conv2dShape, pixels: Bytes, zero: int, tile: SparseTile) -> SparsePlanInt8:
    """Lay out a convolution on channels-last codes that skips words of weights.

    Parameters
    ----------
    shape : Conv2dShape
        In channels; see `takes_int8`.
    pixels : Bytes
    zero : int
        The code of 0 in the input, which lies outside of the image.
    tile : SparseTile
        One of `sparse_tiles`.

    Returns
    -------
    SparsePlanInt8

    Raises
    ------
    ValueError
        Groups that are not whole words.
    """
    if not takes_int8(shape):
        raise ValueError(f"failed to plan a sparse INT8 convolution of {shape.channels} channels in {shape.group} groups: a group must have a "
                         f"multiple of {WORD} channels")
    lanes, words, lines = isa().lanes, shape._replace(channels=ceil(shape.channels / WORD)), tile.lines
    phase, outputs, nr = conv_phase(words, lines > 0), shape.outputs // shape.group, QUAD * lanes
    chunk = lines * shape.out[1] or tile.vectors * lanes
    taps, depth = words_of(shape, lines > 0)
    taps_block, depth_block = part_of(taps, depth)
    h = table_header(words, shape.out, Words(pixels.x // WORD, 1, 1), chunk)
    h[ct.Y_PIXEL], h[ct.ADD_PIXEL], h[ct.PAD] = pixels.y, pixels.add, int(np.array([zero] * 4, np.uint8).view(np.int32)[0])
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP] = depth, 4 * depth, shape.group, outputs
    h[ct.STAGED], h[ct.PHASES] = ct.STAGE_NHWC if lines else ct.DIRECT, 1
    h[ct.TAPS_BLOCK], h[ct.DEPTH_BLOCK] = taps_block, depth_block
    size = f"{lines} lines" if lines else f"{chunk} pixels"
    reason = f"sparse int8, {isa().name}: {size} x {nr} outputs, {taps_block * depth_block} words a part"
    rows = taps_block * depth_block + ceil(outputs / nr) * nr + nr
    pointers = 8 * lanes * (tile.vectors + 1) * (2 if lines else taps + 3) + 8 * taps + 16 * (tile.vectors + 1)
    staged = 4 * words.channels * ((lines - 1) * shape.stride[0] + (shape.kernel[0] - 1) * shape.dilation[0] + 1) if lines else 0
    wide = (shape.out[1] - 1) * shape.stride[1] + shape.kernel[1]
    scratch = 4 * words.channels + 8 * lanes + rows * 4 * lanes * tile.vectors + 8 * lanes + 4 * QUAD * nr + pointers + staged * wide + 10 * 64
    return SparsePlanInt8(nr, tile, taps, depth, taps_block, depth_block, phase_table(h, (phase,), 4 * depth), ceil(scratch / 64) * 64, reason)

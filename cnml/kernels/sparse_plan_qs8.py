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
#: vectors of pixels of a tile that may be chosen
TILE_VECTORS: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
QUAD = 4


class SparsePlanInt8(NamedTuple):
    """The layout of a sparse convolution.

    Attributes
    ----------
    nr : int
        Outputs of a block.
    vectors : int
        Of pixels of a tile.
    taps, depth : int
        Kernel positions, and words of one in a group.
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
    vectors: int
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
        return 4 * isa().lanes * self.vectors


def part_of(taps: int, depth: int) -> tuple[int, int]:
    """Taps and words of each in a part of the panel: all of several taps, or some words of one."""
    if taps * depth <= PART_WORDS:
        return max(taps, 1), depth
    if depth >= PART_WORDS:
        return 1, min(ceil(depth / ceil(depth / PART_WORDS) / QUAD) * QUAD, depth)
    return ceil(taps / ceil(taps / (PART_WORDS // depth))), depth


def plan_sparse_qs8(shape: Conv2dShape, pixels: Bytes, zero: int, vectors: int) -> SparsePlanInt8:
    """Lay out a convolution on channels-last codes that skips words of weights.

    Parameters
    ----------
    shape : Conv2dShape
        In channels; see `takes_int8`.
    pixels : Bytes
    zero : int
        The code of 0 in the input, which lies outside of the image.
    vectors : int
        Of pixels of a tile, one of `TILE_VECTORS`.

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
    lanes, words = isa().lanes, shape._replace(channels=ceil(shape.channels / WORD))
    phase, outputs, nr, chunk = conv_phase(words, False), shape.outputs // shape.group, QUAD * lanes, vectors * lanes
    taps, depth = len(phase.taps), words.channels // shape.group
    taps_block, depth_block = part_of(taps, depth)
    h = table_header(words, shape.out, Words(pixels.x // WORD, 1, 1), chunk)
    h[ct.Y_PIXEL], h[ct.ADD_PIXEL], h[ct.PAD] = pixels.y, pixels.add, int(np.array([zero] * 4, np.uint8).view(np.int32)[0])
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP] = depth, 4 * depth, shape.group, outputs
    h[ct.STAGED], h[ct.PHASES], h[ct.TAPS_BLOCK], h[ct.DEPTH_BLOCK] = ct.DIRECT, 1, taps_block, depth_block
    reason = f"sparse int8, {isa().name}: {chunk} pixels x {nr} outputs, {taps_block * depth_block} words a part"
    pitch = 4 * chunk
    rows = taps_block * depth_block + ceil(outputs / nr) * nr + nr
    scratch = (4 * words.channels + 8 * lanes + rows * pitch + 8 * lanes + 4 * QUAD * nr + 8 * (chunk + lanes) * (taps + 3)
               + 8 * taps + 16 * (vectors + 1) + 10 * 64)
    return SparsePlanInt8(nr, vectors, taps, depth, taps_block, depth_block, phase_table(h, (phase,), 4 * depth), ceil(scratch / 64) * 64, reason)

"""How an INT8 depthwise convolution runs, and its weights in the order the kernels read them."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import dot_kind, isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_pack_qs8 import arranged
from cnml.kernels.conv_plan_f32 import BAND_LINES, ITEMS, Pixels, conv_phase, phase_table, table_header
from cnml.kernels.conv_plan_qs8 import WORD, Bytes
from cnml.kernels.conv_shape import Conv2dShape
from cnml.parameter import aligned_empty

#: kernel height, width and horizontal stride that have kernels of their own
LINES = ((3, 3, 1), (3, 3, 2), (5, 5, 1), (5, 5, 2))
#: channels of the narrowest block
NARROW = 16
#: lanes of the process's vectors where masked bytes are an instruction
MASKED_LANES = 16
#: taps whose products of codes and weights surely fit 32 bits: 255 * 127 each
MOST_TAPS = (2 ** 31 - 1) // (255 * 127)
RESULT = {1: "x8", 4: "f32"}


class Block(NamedTuple):
    """A run of channels that are taken at once: `width` of them, or `columns` where a tensor has fewer."""

    first: int
    width: int
    columns: int


class DepthwisePlanInt8(NamedTuple):
    """A chosen kernel.

    Attributes
    ----------
    kernel : str
        Name in the kernel table.
    item : int
        Bytes of a result.
    shape : Conv2dShape
    blocks : tuple of Block
        They cover all channels; the last may share some with the one before.
    lined : bool
        A step is a column of four kernel rows, not four taps.
    table : ndarray of int64
        Argument `table`.
    scratch_bytes : int
        Per task.
    reason : str
        For people.
    """

    kernel: str
    item: int
    shape: Conv2dShape
    blocks: tuple[Block, ...]
    lined: bool
    table: np.ndarray
    scratch_bytes: int
    reason: str


def line_name(item: int, form: tuple[int, int, int] | None) -> str:
    """Name of the kernel with results of `item` bytes for a form of `LINES`, or for any (None)."""
    return f"depthwise_nhwc_qs8_{RESULT[item]}" + ("_{}x{}s{}".format(*form) if form else "")


def channel_blocks(channels: int) -> tuple[Block, ...]:
    """Blocks as wide as vectors make them, then one for the rest, which moves back so that it ends with the channels.

    A tensor with fewer channels than that takes a part of a block, or, where vectors have no masks for bytes, two narrow blocks.
    """
    lanes = isa().lanes
    wide = WORD * lanes
    blocks = [Block(first, wide, wide) for first in range(0, channels - wide + 1, wide)]
    rest = channels - wide * len(blocks)
    width = next(n for n in (NARROW, 2 * NARROW, 4 * NARROW) if n >= rest)
    if rest and channels >= width:
        blocks.append(Block(channels - width, width, width))
    elif rest and (width == NARROW or lanes == MASKED_LANES):
        blocks.append(Block(0, width, channels))
    elif rest:
        blocks += [Block(0, NARROW, NARROW), Block(channels - NARROW, NARROW, NARROW)]
    return tuple(blocks)


def plan_depthwise_qs8(shape: Conv2dShape, pixels: Bytes, zero: int, item: int = 1, *, general: bool = False) -> DepthwisePlanInt8:
    """Choose how an INT8 depthwise convolution on channels-last codes runs.

    Parameters
    ----------
    shape : Conv2dShape
        As many groups and outputs as channels.
    pixels : Bytes
        `add` is not used.
    zero : int
        The code of 0 in the input, which lies outside of the image.
    item : int
        Bytes of a result: 1 for codes, 4 for float32.
    general : bool
        Take the kernel for any geometry even where there is one of its own.

    Returns
    -------
    DepthwisePlanInt8

    Raises
    ------
    ValueError
        Other groups or outputs, or more taps than 32-bit sums hold.
    """
    taps = shape.kernel[0] * shape.kernel[1]
    if not shape.group == shape.channels == shape.outputs:
        raise ValueError(f"failed to plan an INT8 depthwise convolution of {shape.channels} channels in {shape.group} groups with {shape.outputs} "
                         "outputs: all three must be equal")
    if taps > MOST_TAPS:
        raise ValueError(f"failed to plan an INT8 depthwise convolution with a kernel of {shape.kernel[0]}x{shape.kernel[1]}: sums of more than "
                         f"{MOST_TAPS} products do not fit 32 bits")
    form = (*shape.kernel, shape.stride[1])
    lined = form in LINES and shape.dilation == (1, 1) and not general
    blocks = channel_blocks(shape.channels)
    wide = (shape.out[1] - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1
    bands = max(ceil(shape.out[0] / BAND_LINES), min(ceil(ITEMS / len(blocks)), shape.out[0]))
    lines = ceil(shape.out[0] / bands)
    table = _table(shape, pixels, zero, lines, blocks, wide)
    rows = (lines - 1) * shape.stride[0] + (shape.kernel[0] - 1) * shape.dilation[0] + 1
    scratch = ceil((int(table[ct.ZEROS]) * WORD + 8 * wide * rows) / 64 + 2) * 64
    reason = (f"depthwise int8, {isa().name}: {'columns' if lined else 'any taps'}, blocks of {blocks[0].width} channels, "
              f"{lines} lines a band")
    return DepthwisePlanInt8(line_name(item, form if lined else None), item, shape, blocks, lined, table, scratch, reason)


def _table(shape: Conv2dShape, pixels: Bytes, zero: int, lines: int, blocks: tuple[Block, ...], wide: int) -> np.ndarray:
    """The words of `cnml.kernels.conv_table`; then the pointers of a line, the number of blocks, each block's words (see
    `cnml.kernels.depthwise_qs8.BLOCK_WORDS`) and where each tap's pointer lies."""
    h = table_header(shape, shape.out, Pixels(), lines * shape.out[1])
    h[ct.X_PIXEL], h[ct.Y_PIXEL] = pixels.x, pixels.y
    h[ct.PAD], h[ct.ZEROS] = int(np.array([zero] * WORD, np.uint8).view(np.int32)[0]), ceil(max(shape.channels, NARROW) / WORD)
    h[ct.DEPTH], h[ct.GROUP_STEP], h[ct.GROUPS], h[ct.COUT_GROUP], h[ct.PHASES] = 1, 1, shape.group, 1, 1
    common = phase_table(h, (conv_phase(shape, False),), 0)
    (kh, kw), (dh, dw) = shape.kernel, shape.dilation
    taps = [8 * (y * dh * wide + x * dw) for y in range(kh) for x in range(kw)]
    words, weights, ends = [wide, len(blocks)], 0, 0
    for first, width, columns in blocks:
        words += [first, width // WORD, columns, weights, ends]
        weights += width
        ends += width
    table = aligned_empty((len(common) + len(words) + ceil(len(taps) / WORD) * WORD,), np.int64)
    table[...] = [*common, *words, *taps, *[0] * (-len(taps) % WORD)]  # taps that do not exist have weights 0
    return table


def interleaved_order(channels: int) -> np.ndarray:
    """Channel of every lane of the four vectors of `cnml.ukernels.simd.interleave`, for a block of so many channels."""
    return np.arange(channels).reshape(-1, WORD, WORD).transpose(1, 0, 2).reshape(-1)


def pack_depthwise_qs8(plan: DepthwisePlanInt8, codes: np.ndarray) -> np.ndarray:
    """Pack a depthwise convolution's weights.

    Parameters
    ----------
    plan : DepthwisePlanInt8
    codes : (C, 1, KH, KW) int8

    Returns
    -------
    int8
        [block][step][four vectors of words], 64-byte aligned; a step is a column of four kernel rows or four taps, what does not exist is 0.
    """
    channels, _, kh, kw = codes.shape
    if plan.lined:
        steps = np.zeros((channels, ceil(kh / WORD) * WORD, kw), np.int8)
        steps[:, :kh] = codes[:, 0]
        steps = steps.reshape(channels, -1, WORD, kw).transpose(0, 1, 3, 2).reshape(channels, -1, WORD)
    else:
        steps = np.zeros((channels, ceil(kh * kw / WORD) * WORD), np.int8)
        steps[:, :kh * kw] = codes.reshape(channels, -1)
        steps = steps.reshape(channels, -1, WORD)
    pieces = []
    for first, width, columns in plan.blocks:
        block = np.zeros((steps.shape[1], width, WORD), np.int8)
        block[:, :columns] = steps[first:first + columns].transpose(1, 0, 2)
        pieces.append(arranged(block[:, interleaved_order(width)], width // WORD, dot_kind()).reshape(-1))
    packed = aligned_empty((sum(p.size for p in pieces),), np.int8)
    packed[...] = np.concatenate(pieces)
    return packed


def pack_depthwise_ends_qs8(plan: DepthwisePlanInt8, starts: np.ndarray, factors: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """int32 starts, float32 factors and float32 biases of all channels as float32 words: [block][3][channels in the order of the sums].

    Kernels that make codes take the floats times `scale`.
    """
    scale = np.float32(2 if plan.item == 1 and isa().lanes >= 8 else 1)
    packed = aligned_empty((3 * sum(b.width for b in plan.blocks),))
    at = 0
    for first, width, columns in plan.blocks:
        block = np.zeros((3, width), np.float32)
        block.view(np.int32)[0, :columns] = starts[first:first + columns]
        block[1, :columns], block[2, :columns] = factors[first:first + columns] * scale, biases[first:first + columns] * scale
        packed[at:at + 3 * width] = block[:, interleaved_order(width)].reshape(-1)
        at += 3 * width
    return packed

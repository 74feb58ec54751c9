"""When a layer is an inner product of a few rows, and its words of weights that are not zero as `cnml.kernels.sparse_rows_qs8` reads them.

One array: for each block of outputs the offset of its section in bytes, int64; then the sections. A section has an (output, number of vectors) for
each output of the block, and then the vectors of each: the offsets of LANES words of input, and their weights as `sparse_pack_qs8.widened` has them.
"""
from __future__ import annotations

from math import ceil

import numpy as np

from cnml.cpu import isa
from cnml.kernels.conv_cost_f32 import MEMORY_BYTES_CYCLE
from cnml.kernels.conv_plan_qs8 import WORD
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_pack_qs8 import widened
from cnml.kernels.sparse_plan_qs8 import SparsePlanInt8
from cnml.parameter import aligned_empty

OUTPUT_CYCLES = 60.0                             # of an output and row,
WORD_CYCLES = ((16 << 10, 1.3), (1 << 30, 3.0))  # and of each word, with rows of up to so many bytes


def takes_rows(shape: Conv2dShape) -> bool:
    """Whether a convolution is an inner product of at most as many rows as there are lanes."""
    return (shape.out == (1, 1) and shape.kernel == (shape.height, shape.width) and not any((*shape.pad, *(shape.pad_end or ())))
            and shape.group == 1 and shape.batch <= isa().lanes)


def rows_share(shape: Conv2dShape, live: int, cost: float) -> float:
    """Estimated share of the dense kernel's time, of which `cost` is an estimate without what memory costs; weights are read from there."""
    row = shape.channels * shape.height * shape.width
    each = next((cycles for limit, cycles in WORD_CYCLES if row <= limit), WORD_CYCLES[-1][1])
    return shape.batch * (live * each + shape.outputs * OUTPUT_CYCLES) / max(cost, row * shape.outputs / MEMORY_BYTES_CYCLE)


def pack_rows_qs8(plan: SparsePlanInt8, codes: np.ndarray, pixel: int) -> np.ndarray:
    """Pack an inner product's weights.

    Parameters
    ----------
    plan : SparsePlanInt8
        For tiles of one vector.
    codes : (Cout, Cin, KH, KW) int8
    pixel : int
        Bytes from one pixel of the input to the next.

    Returns
    -------
    uint8
        See above; 64-byte aligned.
    """
    (outputs, cin, kh, kw), lanes = codes.shape, isa().lanes
    full = np.zeros((outputs, kh * kw, plan.depth * WORD), np.int8)
    full[:, :, :cin] = codes.reshape(outputs, cin, kh * kw).transpose(0, 2, 1)
    words = full.view(np.int32)
    offsets = (np.arange(kh * kw)[:, None] * pixel + WORD * np.arange(plan.depth)).reshape(-1).astype(np.int32)
    words = words.reshape(outputs, -1)
    counts = np.count_nonzero(words, axis=1)
    vectors = -(-counts // lanes)
    output, k = np.nonzero(words)
    place = np.arange(len(output)) - (np.cumsum(counts) - counts)[output]
    weights = widened(words[output, k])
    lists = np.zeros((int(vectors.sum()), 1 + weights.shape[1], lanes), np.int32)
    at = (np.cumsum(vectors) - vectors)[output] + place // lanes
    lists[at, 0, place % lanes] = offsets[k]
    for i in range(weights.shape[1]):
        lists[at, 1 + i, place % lanes] = weights[:, i]
    return _sections(plan.nr, vectors, lists)


def _sections(nr: int, vectors: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """One array of all blocks of `nr` outputs, with so many vectors each."""
    blocks, done, parts = ceil(len(vectors) / nr), 0, []
    for block in range(blocks):
        mine = vectors[block * nr:(block + 1) * nr]
        head = np.zeros((nr, 2), np.int32)
        head[:len(mine)] = np.stack([np.arange(len(mine)), mine], 1)
        parts.append(np.concatenate([head.reshape(-1), lists[done:done + int(mine.sum())].reshape(-1)]))
        done += int(mine.sum())
    lead = ceil(2 * blocks / 16) * 16
    packed = aligned_empty((lead + sum(p.size for p in parts),), np.int32)
    packed[:lead] = 0
    packed[:2 * blocks].view(np.int64)[...] = 4 * (lead + np.cumsum([0, *(p.size for p in parts[:-1])], dtype=np.int64))
    np.concatenate(parts, out=packed[lead:])
    return packed.view(np.uint8)

"""The words of weights that are not zero, as lists of every output in the order in which the sparse INT8 kernel walks along them.

One array: for each part of the panel and block of outputs the offset of its section in bytes, int64; then the sections. A section has an (output,
number of words) for each output of the block, those with most words first, and then the words: the offset of their row in the panel, and the weights
as 32-bit words (one, or two or four where 16-bit or 32-bit products want them wider).
"""
from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from cnml.cpu import dot_kind, isa
from cnml.kernels.conv_plan_qs8 import WORD
from cnml.kernels.sparse_plan_qs8 import SparsePlanInt8
from cnml.parameter import aligned_empty

_LINE = 16  # 32-bit words of a line of memory


def pack_sparse_qs8(plan: SparsePlanInt8, codes: np.ndarray, group: int = 1) -> np.ndarray:
    """Pack a convolution's weights.

    Parameters
    ----------
    plan : SparsePlanInt8
    codes : (Cout, Cin / group, KH, KW) int8
    group : int

    Returns
    -------
    uint8
        See above; 64-byte aligned.
    """
    words = _words(plan, codes, group)
    parts = [_section(plan, part) for part in _parts(plan, words)]
    sizes = [n for _, lengths in parts for n in lengths]
    lead = ceil(2 * len(sizes) / _LINE) * _LINE
    packed = aligned_empty((lead + sum(sizes),), np.int32)
    packed[:lead] = 0
    packed[:2 * len(sizes)].view(np.int64)[...] = 4 * (lead + np.cumsum([0, *sizes[:-1]], dtype=np.int64))
    np.concatenate([section for section, _ in parts], out=packed[lead:])
    return packed.view(np.uint8)


def live_words(codes: np.ndarray) -> tuple[int, int]:
    """How many words of four input channels have weights other than zero, and how many words there are.

    `codes` are (Cout, Cin / group, KH, KW), of any number type.
    """
    cout, cin, *kernel = codes.shape
    live = np.zeros((cout, ceil(cin / WORD), *kernel), bool)
    for i in range(WORD):
        part = codes[:, i::WORD] != 0
        live[:, :part.shape[1]] |= part
    return int(np.count_nonzero(live)), live.size


def pack_sparse_ends_qs8(plan: SparsePlanInt8, starts: np.ndarray, factors: np.ndarray, biases: np.ndarray, item: int, group: int = 1) -> np.ndarray:
    """int32 starts, float32 factors and biases of all outputs, each [group and block][nr], one behind the other as float32 words; the floats of
    results of one byte are times `scale_of_codes`, which is exact.
    """
    outputs, scale = len(starts) // group, np.float32(scale_of_codes() if item == 1 else 1)
    ends = aligned_empty((3, group, ceil(outputs / plan.nr) * plan.nr))
    ends[...] = 0
    ends.view(np.int32)[0, :, :outputs] = starts.reshape(group, -1)
    with np.errstate(over="ignore"):
        ends[1, :, :outputs] = (factors * scale).reshape(group, -1)
        ends[2, :, :outputs] = (biases * scale).reshape(group, -1)
    return ends.reshape(-1)


def scale_of_codes() -> int:
    """`cnml.ukernels.simd.vec_x8.SCALE`, for those who must not import a compiler."""
    return 2 if isa().lanes >= 8 else 1


def _words(plan: SparsePlanInt8, codes: np.ndarray, group: int) -> np.ndarray:
    """(blocks, nr, taps, depth) int32, four weights each; outputs that do not exist have zeros."""
    cout, cin, kh, kw = codes.shape
    outputs, blocks = cout // group, ceil(cout // group / plan.nr)
    full = np.zeros((group, blocks * plan.nr, kh * kw, ceil(cin / WORD) * WORD), np.int8)
    full[:, :outputs, :, :cin] = codes.reshape(group, outputs, cin, kh * kw).transpose(0, 1, 3, 2)
    return full.view(np.int32).reshape(group * blocks, plan.nr, plan.taps, plan.depth)


def _parts(plan: SparsePlanInt8, words: np.ndarray) -> Iterator[np.ndarray]:
    """(blocks, nr, words) of every part of the panel."""
    for tap in range(0, plan.taps, plan.taps_block):
        for first in range(0, plan.depth, plan.depth_block):
            yield words[:, :, tap:tap + plan.taps_block, first:first + plan.depth_block].reshape(*words.shape[:2], -1)


def _section(plan: SparsePlanInt8, words: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The sections of one part, and the length of each."""
    counts = np.count_nonzero(words, axis=2)
    order = np.argsort(-counts, axis=1, kind="stable")  # lists of one length follow each other, so that their ends are foreseen
    ordered = np.take_along_axis(words, order[:, :, None], 1)
    block, _, k = found = np.nonzero(ordered)
    entries = np.concatenate([(k * plan.pitch).astype(np.int32)[:, None], widened(ordered[found])], 1)
    heads, each = 2 * plan.nr, entries.shape[1]
    used = heads + each * counts.sum(1)
    lengths = -(-used // _LINE) * _LINE
    starts = np.cumsum(lengths) - lengths
    section = np.zeros(int(lengths.sum()), np.int32)
    head = np.stack([order, np.take_along_axis(counts, order, 1)], 2).astype(np.int32)
    section[starts[:, None] + np.arange(heads)] = head.reshape(len(words), heads)
    before = np.cumsum(counts.sum(1)) - counts.sum(1)
    at = starts[block] + heads + each * (np.arange(len(block)) - before[block])
    section[at[:, None] + np.arange(each)] = entries
    return section, [int(n) for n in lengths]


def widened(words: np.ndarray) -> np.ndarray:
    """(n, 32-bit words) of (n,) words of four weights, as `cnml.cpu.dot_kind` multiplies them."""
    weights = np.ascontiguousarray(words).view(np.int8).reshape(-1, WORD)
    if dot_kind() == "vnni":
        return words[:, None]
    if dot_kind() == "plain":
        return weights.astype(np.int32)
    pairs = [np.ascontiguousarray(weights[:, i::2]).astype(np.int16).view(np.int32) for i in (0, 1)]
    return np.concatenate(pairs, 1)

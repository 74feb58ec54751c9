"""Codes of weights in the order the INT8 tiles read them, and what becomes of the sums."""
from __future__ import annotations

from math import ceil

import numpy as np

from cnml.cpu import dot_kind, isa
from cnml.kernels.conv_plan_qs8 import WORD, ConvPlanInt8
from cnml.parameter import aligned_empty


def pack_weights_qs8(plan: ConvPlanInt8, codes: np.ndarray, group: int = 1) -> np.ndarray:
    """Pack a convolution's weights.

    Parameters
    ----------
    plan : ConvPlanInt8
    codes : (Cout, Cin / group, KH, KW) int8
    group : int

    Returns
    -------
    int8
        [group and block of nr channels][tap][depth][nr vectors of words], 64-byte aligned, missing channels 0.
    """
    cout, cin, kh, kw = codes.shape
    words, lanes = ceil(cin / WORD), isa().lanes
    blocks = ceil(cout // group / plan.nr)
    full = np.zeros((group, blocks * plan.nr, kh, kw, words * WORD), np.int8)
    full[:, :cout // group, :, :, :cin] = codes.reshape(group, cout // group, cin, kh, kw).transpose(0, 1, 3, 4, 2)
    steps = full.reshape(group, blocks, plan.nr, kh * kw * words, WORD).transpose(0, 1, 3, 2, 4)
    packed = aligned_empty((full.size,), np.int8)
    packed[...] = arranged(np.ascontiguousarray(steps), lanes, dot_kind()).reshape(-1)
    return packed


def pack_ends_qs8(plan: ConvPlanInt8, starts: np.ndarray, factors: np.ndarray, biases: np.ndarray, group: int = 1) -> np.ndarray:
    """int32 starts, float32 factors and float32 biases of all output channels, each [group and block][nr], one behind the other as float32 words."""
    blocks = ceil(len(starts) // group / plan.nr)
    ends = aligned_empty((3, group, blocks * plan.nr))
    ends[...] = 0
    ends.view(np.int32)[0, :, :len(starts) // group] = starts.reshape(group, -1)
    ends[1, :, :len(starts) // group] = factors.reshape(group, -1)
    ends[2, :, :len(starts) // group] = biases.reshape(group, -1)
    return ends.reshape(-1)


def arranged(words: np.ndarray, lanes: int, kind: str) -> np.ndarray:
    """Bytes of weights in the order in which a way of multiplying reads them.

    Parameters
    ----------
    words : (..., outputs, 4) int8
        `outputs` a multiple of `lanes`.
    lanes : int
    kind : str
        See `cnml.cpu.dot_kind`.

    Returns
    -------
    (..., outputs / lanes, 4 * lanes) int8
    """
    vectors = words.reshape(*words.shape[:-2], words.shape[-2] // lanes, lanes, 4)
    if kind == "pairs":  # bytes 0 and 2 of every output, then 1 and 3
        vectors = np.stack([vectors[..., 0::2], vectors[..., 1::2]], -3)
    elif kind == "plain":
        vectors = np.moveaxis(vectors, -1, -2)
    return np.ascontiguousarray(vectors).reshape(*words.shape[:-2], words.shape[-2] // lanes, 4 * lanes)

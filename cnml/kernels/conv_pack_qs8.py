"""Codes of weights in the order the INT8 tiles read them, and what becomes of the sums."""
from __future__ import annotations

from math import ceil

import numpy as np

from cnml.cpu import isa
from cnml.kernels.conv_plan_qs8 import WORD, ConvPlanInt8
from cnml.parameter import aligned_empty
from cnml.ukernels.simd.dot4 import arranged, dot_kind


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

"""Weights of an exact Winograd convolution, transformed to 16 bits and in the order the products read them, and what becomes of the sums."""
from __future__ import annotations

import numpy as np

from cnml.cpu import isa
from cnml.kernels.winograd_plan_f32 import WinogradPlan
from cnml.parameter import aligned_empty
from cnml.ukernels.winograd_integers import WEIGHT_TRANSFORM


def pack_winograd_qs8(plan: WinogradPlan, codes: np.ndarray) -> np.ndarray:
    """Transform, without rounding.

    Parameters
    ----------
    plan : WinogradPlan
    codes : (Cout, Cin / group, 3, 3) int8

    Returns
    -------
    int16
        [block of outputs][product][pair of channels][outputs of the block][2], 64-byte aligned, missing channels and outputs zero.
    """
    lanes, (_, cin, ky, kx) = isa().lanes, codes.shape
    both = np.kron(WEIGHT_TRANSFORM, WEIGHT_TRANSFORM).astype(np.float32)  # whole numbers below 2**24: exact
    depth = -(-cin // 4) * 2
    packed, at = aligned_empty((len(both) * depth * 2 * sum(b.vectors for b in plan.blocks) * lanes,), np.int16), 0
    for b in plan.blocks:
        width = b.vectors * lanes
        taps = np.zeros((ky * kx, depth, width, 2), np.float32)
        given = np.zeros((b.columns, 2 * depth, ky * kx), np.float32)
        given[:, :cin] = codes[b.output:b.output + b.columns].reshape(b.columns, cin, ky * kx)
        taps[:, :, :b.columns] = given.reshape(b.columns, depth, 2, ky * kx).transpose(3, 1, 0, 2)
        size = len(both) * depth * width * 2
        packed[at:at + size] = (both @ taps.reshape(ky * kx, -1)).reshape(-1)
        at += size
    return packed


def pack_winograd_ends_qs8(plan: WinogradPlan, factors: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """float32 factors of all output channels, each [block][outputs of the block], then the biases."""
    lanes = isa().lanes
    ends, at = aligned_empty((2, sum(b.vectors for b in plan.blocks) * lanes)), 0
    ends[...] = 0
    for b in plan.blocks:
        ends[0, at:at + b.columns] = factors[b.output:b.output + b.columns]
        ends[1, at:at + b.columns] = biases[b.output:b.output + b.columns]
        at += b.vectors * lanes
    return ends.reshape(-1)

"""Convolution of codes with quantized weights, channels last, every operation on floats rounded to float32 by itself."""
from __future__ import annotations

import numpy as np

from cnml.reference.pool import Pair


def convolution_sums(codes: np.ndarray, weights: np.ndarray, zero: int, starts: np.ndarray, out: Pair, stride: Pair, pad: Pair, dilation: Pair,
                     group: int = 1) -> np.ndarray:
    """starts + the exact sums of codes times weights; outside of the image lie codes of 0.

    Parameters
    ----------
    codes : (N, H, W, Cin) uint8
    weights : (Cout, Cin / group, KH, KW) int8
    zero : int
        The code of 0.
    starts : (Cout,) int32
        -zero times the sum of an output's weights, for a sum of (codes - zero) * weights.
    out, stride, pad, dilation : (height, width)
        `pad` before the image; behind it as much as `out` asks for.
    group : int

    Returns
    -------
    (N, *out, Cout) int64
    """
    n, h, w, cin = codes.shape
    cout, depth, kh, kw = weights.shape
    below, right = ((out[a] - 1) * stride[a] + (weights.shape[2 + a] - 1) * dilation[a] + 1 for a in (0, 1))
    padded = np.full((n, max(below, pad[0] + h), max(right, pad[1] + w), cin), zero, np.int64)
    padded[:, pad[0]:pad[0] + h, pad[1]:pad[1] + w] = codes
    sums = np.zeros((n, *out, cout), np.int64) + starts
    per = cout // group
    for ky in range(kh):
        for kx in range(kw):
            y, x = ky * dilation[0], kx * dilation[1]
            taken = padded[:, y:y + (out[0] - 1) * stride[0] + 1:stride[0], x:x + (out[1] - 1) * stride[1] + 1:stride[1]]
            for g in range(group):
                tap = weights[g * per:(g + 1) * per, :, ky, kx].astype(np.int64)
                sums[..., g * per:(g + 1) * per] += taken[..., g * depth:(g + 1) * depth] @ tap.T
    return sums


def end_convolution(sums: np.ndarray, factors: np.ndarray, biases: np.ndarray, add: np.ndarray | None = None, add_factor: float = 1.0) -> np.ndarray:
    """sums * factors + biases (+ add * add_factor).

    Parameters
    ----------
    sums : (..., C) whole numbers below 2**31
    factors, biases : (C,) float32
    add : (..., C) float32, optional
        Codes minus their zero, or values.
    add_factor : float
        Units of the result in one of `add`.

    Returns
    -------
    (..., C) float32
        Before the activation, see `cnml.reference.quantized.activated`; for codes see `cnml.reference.codes.encode`.
    """
    t: np.ndarray = sums.astype(np.int32).astype(np.float32) * factors.astype(np.float32) + biases.astype(np.float32)
    return t if add is None else t + add.astype(np.float32) * np.float32(add_factor)

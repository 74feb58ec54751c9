"""Depthwise convolution of codes, channels last, every operation on floats rounded to float32 by itself."""
from __future__ import annotations

import numpy as np

from cnml.reference.pool import Pair


def depthwise_units(codes: np.ndarray, weights: np.ndarray, zero: int, factors: np.ndarray, biases: np.ndarray, out: Pair, stride: Pair, pad: Pair,
                    dilation: Pair) -> np.ndarray:
    """sum((codes - zero) * weights) * factors + biases of every output pixel; 0 lies outside of the image, and the sum is exact.

    Parameters
    ----------
    codes : (N, H, W, C) uint8
    weights : (C, 1, KH, KW) int8
    zero : int
        The code of 0.
    factors, biases : (C,) float32
    out, stride, pad, dilation : (height, width)
        `pad` before the image; behind it as much as `out` asks for.

    Returns
    -------
    (N, *out, C) float32
        Before the activation; for codes see `cnml.reference.codes.encode`.
    """
    n, h, w, c = codes.shape
    units = codes.astype(np.int64) - zero
    sums = np.zeros((n, *out, c), np.int64)
    for ky in range(weights.shape[2]):
        for kx in range(weights.shape[3]):
            for oy in range(out[0]):
                y = oy * stride[0] - pad[0] + ky * dilation[0]
                for ox in range(out[1]):
                    x = ox * stride[1] - pad[1] + kx * dilation[1]
                    if 0 <= y < h and 0 <= x < w:
                        sums[:, oy, ox] += units[:, y, x] * weights[:, 0, ky, kx]
    product: np.ndarray = sums.astype(np.float32) * factors.astype(np.float32)
    return product + biases.astype(np.float32)

"""Pooling of codes, channels last, every operation on floats rounded to float32 by itself."""
from __future__ import annotations

import numpy as np

from cnml.reference.pool import Pair, windows


def pool_max_codes(codes: np.ndarray, out: Pair, kernel: Pair, stride: Pair, pad: Pair, empty: int) -> np.ndarray:
    """Greatest code of every window.

    Parameters
    ----------
    codes : (N, H, W, C) uint8
    out, kernel, stride, pad : (height, width)
        Caffe's windows, see `cnml.reference.pool.windows`.
    empty : int
        The code of a window that lies wholly outside.

    Returns
    -------
    (N, *out, C) uint8
    """
    n, h, w, c = codes.shape
    y = np.full((n, *out, c), empty, np.uint8)
    for i, (h0, h1, _) in enumerate(windows(h, out[0], kernel[0], stride[0], pad[0])):
        for j, (w0, w1, _) in enumerate(windows(w, out[1], kernel[1], stride[1], pad[1])):
            if h1 > h0 and w1 > w0:
                y[:, i, j] = codes[:, h0:h1, w0:w1].max(axis=(1, 2))
    return y


def pool_ave_units(codes: np.ndarray, out: Pair, kernel: Pair, stride: Pair, pad: Pair, zero: int, ratio: float) -> np.ndarray:
    """sum(codes - zero) * ratio / divisor of every window: the sum is exact, then becomes float32; the divisor is the window's padded extent.

    Parameters
    ----------
    codes : (N, H, W, C) uint8
    out, kernel, stride, pad : (height, width)
    zero : int
        The code of 0.
    ratio : float
        Units of the result in one of the codes.

    Returns
    -------
    (N, *out, C) float32
        In units of the result; for codes of it see `cnml.reference.codes.encode`.
    """
    n, h, w, c = codes.shape
    units = codes.astype(np.int64) - zero
    y = np.empty((n, *out, c), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, (h0, h1, height) in enumerate(windows(h, out[0], kernel[0], stride[0], pad[0])):
            for j, (w0, w1, width) in enumerate(windows(w, out[1], kernel[1], stride[1], pad[1])):
                total = units[:, h0:max(h0, h1), w0:max(w0, w1)].sum(axis=(1, 2)).astype(np.float32)
                y[:, i, j] = total * np.float32(ratio) / np.float32(height * width)
    return y

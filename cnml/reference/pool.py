"""Pooling over two spatial axes, in float64."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Pair = tuple[int, int]

#: where MAX starts: a window without anything greater gives this, mask -1
LOWEST = -float(np.finfo(np.float32).max)


def windows(size: int, out: int, kernel: int, stride: int, pad: int) -> Iterator[tuple[int, int, int]]:
    """(first, last, extent) of every window on one axis: the range inside the image and the extent that AVE divides by.

    The extent counts padding up to `size + pad` but not what a rounded-up last window has beyond it; it can be 0 or negative for a window wholly
    outside.
    """
    for i in range(out):
        start = i * stride - pad
        end = min(start + kernel, size + pad)
        yield max(start, 0), min(start + kernel, size), end - start


def pool_max(x: np.ndarray, out: Pair, kernel: Pair, stride: Pair, pad: Pair) -> tuple[np.ndarray, np.ndarray]:
    """First greatest element of every window, and its index h * W + w.

    NaN is never greater; -inf does not beat the start value.

    Parameters
    ----------
    x : (N, C, H, W)
    out, kernel, stride, pad : (height, width)

    Returns
    -------
    values, mask : (N, C, *out) float64
    """
    n, c, h, w = x.shape
    clean = np.where(np.isnan(x), -np.inf, np.asarray(x, np.float64))
    values = np.full((n, c, *out), LOWEST)
    mask = np.full((n, c, *out), -1.0)
    for i, (h0, h1, _) in enumerate(windows(h, out[0], kernel[0], stride[0], pad[0])):
        for j, (w0, w1, _) in enumerate(windows(w, out[1], kernel[1], stride[1], pad[1])):
            if h1 <= h0 or w1 <= w0:
                continue
            window = clean[:, :, h0:h1, w0:w1].reshape(n, c, -1)
            at = window.argmax(axis=2)
            best = window.max(axis=2)
            found = best > LOWEST
            values[:, :, i, j] = np.where(found, best, LOWEST)
            mask[:, :, i, j] = np.where(found, (h0 + at // (w1 - w0)) * w + w0 + at % (w1 - w0), -1)
    return values, mask


def pool_ave(x: np.ndarray, out: Pair, kernel: Pair, stride: Pair, pad: Pair) -> np.ndarray:
    """Sum over the image's part of each window divided by the window's padded extent. Arguments as `pool_max`."""
    n, c, h, w = x.shape
    x = np.asarray(x, np.float64)
    y = np.empty((n, c, *out))
    for i, (h0, h1, height) in enumerate(windows(h, out[0], kernel[0], stride[0], pad[0])):
        for j, (w0, w1, width) in enumerate(windows(w, out[1], kernel[1], stride[1], pad[1])):
            y[:, :, i, j] = x[:, :, h0:max(h0, h1), w0:max(w0, w1)].sum(axis=(2, 3)) / np.float64(height * width)
    return y


def pool_stochastic(x: np.ndarray, out: Pair, kernel: Pair, stride: Pair) -> np.ndarray:
    """The expectation of stochastic pooling, sum x^2 / sum x; 0 where the sum is not positive. Arguments as `pool_max`, no padding."""
    n, c, h, w = x.shape
    x = np.asarray(x, np.float64)
    y = np.zeros((n, c, *out))
    for i, (h0, h1, _) in enumerate(windows(h, out[0], kernel[0], stride[0], 0)):
        for j, (w0, w1, _) in enumerate(windows(w, out[1], kernel[1], stride[1], 0)):
            window = x[:, :, h0:max(h0, h1), w0:max(w0, w1)]
            total = window.sum(axis=(2, 3)) + float(np.finfo(np.float32).tiny)
            y[:, :, i, j] = np.where(total > 0, (window * window).sum(axis=(2, 3)) / total, 0)
    return y

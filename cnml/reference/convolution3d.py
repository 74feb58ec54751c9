"""Convolution and pooling over length, height and width."""
from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def convolution3d(x: np.ndarray, weights: np.ndarray, bias: np.ndarray | None, stride: tuple[int, int, int], pad: tuple[int, int, int]) -> np.ndarray:
    """Cross-correlation over the last three axes.

    Parameters
    ----------
    x : (N, C, L, H, W) ndarray
    weights : (O, C, l, h, w) ndarray
    bias : ndarray of O elements, or None
    stride, pad : (length, height, width)

    Returns
    -------
    (N, O, …) float32 ndarray
    """
    x = np.pad(np.asarray(x, np.float32), [(0, 0), (0, 0)] + [(p, p) for p in pad])
    windows = sliding_window_view(x, weights.shape[2:], axis=(2, 3, 4))[:, :, ::stride[0], ::stride[1], ::stride[2]]
    y = np.tensordot(windows, np.asarray(weights, np.float32), axes=((1, 5, 6, 7), (1, 2, 3, 4)))
    y = np.moveaxis(y, -1, 1)
    return y if bias is None else y + np.asarray(bias, np.float32).reshape(1, -1, 1, 1, 1)


def pooled_extent(size: int, kernel: int, stride: int, pad: int) -> int:
    """Windows along one axis, the last one possibly beyond the end (ceiling)."""
    return -(-(size + 2 * pad - kernel) // stride) + 1


def pooling3d(x: np.ndarray, method: str, kernel: tuple[int, int, int], stride: tuple[int, int, int], pad: tuple[int, int, int]) -> np.ndarray:
    """Maximum or mean of windows over the last three axes; a mean counts the padding but nothing beyond it.

    Parameters
    ----------
    x : (N, C, L, H, W) ndarray
    method : {"MAX", "AVE"}
    kernel, stride, pad : (length, height, width)

    Returns
    -------
    (N, C, …) float64 ndarray
    """
    x = np.asarray(x, np.float64)
    out = tuple(pooled_extent(*v) for v in zip(x.shape[2:], kernel, stride, pad, strict=True))
    y = np.zeros(x.shape[:2] + out)
    for at in np.ndindex(*out):
        first = [i * s - p for i, s, p in zip(at, stride, pad, strict=True)]
        last = [min(f + k, n + p) for f, k, n, p in zip(first, kernel, x.shape[2:], pad, strict=True)]
        part = x[(slice(None), slice(None), *(slice(max(f, 0), min(e, n)) for f, e, n in zip(first, last, x.shape[2:], strict=True)))]
        if method == "AVE":
            y[(..., *at)] = part.sum(axis=(2, 3, 4)) / np.prod([e - f for f, e in zip(first, last, strict=True)])
        else:
            y[(..., *at)] = part.max(axis=(2, 3, 4), initial=-np.finfo(np.float32).max)
    return y

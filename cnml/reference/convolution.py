"""Convolution over any number of spatial axes in float64."""
from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np


def convolution(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, out_spatial: Sequence[int], stride: Sequence[int], pad: Sequence[int],
                dilation: Sequence[int], group: int = 1) -> np.ndarray:
    """y[n, o, p] = bias[o] + sum over channels c and taps t of w[o, c, t] * x[n, c, p * stride - pad + t * dilation], zero outside.

    Parameters
    ----------
    x : (N, C, spatial…) ndarray
    w : (O, C / group, kernel…) ndarray
    bias : (O,) ndarray or None
    out_spatial : sequence of int
        Extents of the output's spatial axes; they decide how far the input is padded at the end.
    stride, pad, dilation : sequence of int
        One per spatial axis; `pad` is that before the first element.
    group : int

    Returns
    -------
    (N, O, out_spatial…) float64 ndarray
    """
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    n, channels, outputs = x.shape[0], x.shape[1], w.shape[0]
    kernel = w.shape[2:]
    grow = [(p, max(0, (o - 1) * s + (k - 1) * d + 1 - p - i))
            for p, o, s, k, d, i in zip(pad, out_spatial, stride, kernel, dilation, x.shape[2:], strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *grow])
    y = np.zeros((n, group, outputs // group, int(np.prod(out_spatial, dtype=np.int64))))
    for tap in itertools.product(*(range(k) for k in kernel)):
        window = tuple(slice(t * d, t * d + (o - 1) * s + 1, s) if o else slice(0, 0)
                       for t, d, o, s in zip(tap, dilation, out_spatial, stride, strict=True))
        part = x[(slice(None), slice(None), *window)].reshape(n, group, channels // group, -1)
        y += np.matmul(w[(slice(None), slice(None), *tap)].reshape(group, outputs // group, -1), part)
    y = y.reshape(n, outputs, *out_spatial)
    if bias is not None:
        y += np.asarray(bias, np.float64).reshape(-1, *[1] * len(kernel))
    return y


def deconvolution(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, out_spatial: Sequence[int], stride: Sequence[int], pad: Sequence[int],
                  dilation: Sequence[int], group: int = 1) -> np.ndarray:
    """The transposed convolution: each input element adds its weighted kernel to the output.

    Parameters
    ----------
    x : (N, C, spatial…) ndarray
    w : (C, O / group, kernel…) ndarray
        The first axis is the input channels.
    bias : (O,) ndarray or None
    out_spatial, stride, pad, dilation : sequence of int
    group : int

    Returns
    -------
    (N, O, out_spatial…) float64 ndarray
    """
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    n, channels = x.shape[:2]
    kernel, spatial = w.shape[2:], x.shape[2:]
    outputs = w.shape[1] * group
    full = [max((i - 1) * s + (k - 1) * d + 1, p + o) if i else p + o
            for i, s, k, d, p, o in zip(spatial, stride, kernel, dilation, pad, out_spatial, strict=True)]
    y = np.zeros((n, outputs, *full))
    columns = x.reshape(n, group, channels // group, -1)
    for tap in itertools.product(*(range(k) for k in kernel)):
        window = tuple(slice(t * d, t * d + (i - 1) * s + 1, s) if i else slice(0, 0)
                       for t, d, i, s in zip(tap, dilation, spatial, stride, strict=True))
        weights = w[(slice(None), slice(None), *tap)].reshape(group, channels // group, outputs // group)
        y[(slice(None), slice(None), *window)] += np.matmul(weights.transpose(0, 2, 1), columns).reshape(n, outputs, *spatial)
    y = y[(slice(None), slice(None), *(slice(p, p + o) for p, o in zip(pad, out_spatial, strict=True)))]
    if bias is not None:
        y = y + np.asarray(bias, np.float64).reshape(-1, *[1] * len(kernel))
    return y

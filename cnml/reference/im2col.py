"""Unfolding of the windows of a convolution."""
from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np


def im2col(x: np.ndarray, axis: int, out: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int],
           dilation: Sequence[int]) -> np.ndarray:
    """Every window of an image as a column.

    Parameters
    ----------
    x : ndarray
        Axes before `axis` are batch, `axis` holds the channels, the rest is spatial.
    axis : int
    out, kernel, stride, pad, dilation : sequence of int
        One for each spatial axis.

    Returns
    -------
    ndarray
        Batch, channels * prod(kernel) (channels slowest), *out; zeros where a window is outside.
    """
    spatial = len(out)
    batch, channels = x.shape[:axis], x.shape[axis]
    padded = np.pad(x, [(0, 0)] * (axis + 1) + [(p, p) for p in pad])
    y = np.zeros((*batch, channels, *kernel, *out), x.dtype)
    for at in product(*(range(k) for k in kernel)):
        window = tuple(slice(at[i] * dilation[i], at[i] * dilation[i] + (out[i] - 1) * stride[i] + 1, stride[i]) for i in range(spatial))
        y[(*[slice(None)] * (axis + 1), *at)] = padded[(..., *window)]
    return y.reshape(*batch, channels * int(np.prod(kernel, dtype=np.int64)), *out)

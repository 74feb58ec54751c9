"""Sums over the last axes, in float64."""
from __future__ import annotations

import numpy as np


def reduction(x: np.ndarray, axis: int, operation: str, coeff: float) -> np.ndarray:
    """coeff times the sum, sum of absolute values, sum of squares or mean over all axes from `axis` on.

    Parameters
    ----------
    x : ndarray
    axis : int
    operation : "SUM", "ASUM", "SUMSQ" or "MEAN"
    coeff : float

    Returns
    -------
    float64 ndarray of shape x.shape[:axis]
    """
    v = np.asarray(x, np.float64)
    axes = tuple(range(axis, v.ndim))
    if operation == "ASUM":
        v = np.abs(v)
    elif operation == "SUMSQ":
        v = v * v
    total = v.sum(axis=axes)
    if operation == "MEAN":
        total = total / np.prod(v.shape[axis:], dtype=np.int64)
    return np.asarray(coeff * total)

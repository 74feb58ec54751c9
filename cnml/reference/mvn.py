"""Mean-variance normalisation in float64."""
from __future__ import annotations

import numpy as np


def mvn(x: np.ndarray, across_channels: bool, normalize_variance: bool, eps: float) -> np.ndarray:
    """(x - mean) / (sqrt(var) + eps) per item and channel, or per item.

    Parameters
    ----------
    x : ndarray of 2 to 4 axes (1: every value is an item of its own)
    across_channels, normalize_variance : bool
        Without the latter only the mean is taken away.
    eps : float
        Outside the root.

    Returns
    -------
    float64 ndarray of the same shape
    """
    lead = x.shape[:1 if across_channels else 2]
    v = np.asarray(x, np.float64).reshape(int(np.prod(lead, dtype=np.int64)), -1)
    v = v - v.mean(axis=1, keepdims=True)
    if normalize_variance:
        v = v / (np.sqrt((v * v).mean(axis=1, keepdims=True)) + eps)
    return v.reshape(x.shape)

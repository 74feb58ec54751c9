"""Concatenated ReLU."""
from __future__ import annotations

import numpy as np


def crelu(x: np.ndarray, axis: int, slope: float) -> np.ndarray:
    """relu(x) and relu(-x), one after the other along `axis`; relu(z) = max(z, 0) + slope * min(z, 0).

    Parameters
    ----------
    x : ndarray
    axis : int
    slope : float

    Returns
    -------
    float64 ndarray, twice as long along `axis`
    """
    both = np.concatenate([np.asarray(x, np.float64), -np.asarray(x, np.float64)], axis=axis)
    return np.maximum(both, 0) + slope * np.minimum(both, 0)

"""ReLU with learned slopes, in float64."""
from __future__ import annotations

import numpy as np


def prelu(x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """max(x, 0) + slope * min(x, 0), one slope a channel (axis 1) or one for all.

    Parameters
    ----------
    x : ndarray of 2 axes or more
    slope : (C,) or any array of one element

    Returns
    -------
    float64 ndarray of x's shape
    """
    x = np.asarray(x, np.float64)
    slopes = np.asarray(slope, np.float64).reshape((1, -1) + (1,) * (x.ndim - 2))
    return np.maximum(x, 0) + slopes * np.minimum(x, 0)

"""An affine map per channel, in float64."""
from __future__ import annotations

import numpy as np


def channel_map(x: np.ndarray, factor: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """factor * x + shift, both of one value a channel (axis 1).

    Parameters
    ----------
    x : ndarray of 2 axes or more
    factor, shift : (C,)

    Returns
    -------
    float64 ndarray of x's shape
    """
    column = (1, -1) + (1,) * (np.ndim(x) - 2)
    return np.asarray(x, np.float64) * factor.reshape(column) + shift.reshape(column)

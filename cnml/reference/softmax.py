"""Softmax in float64."""
from __future__ import annotations

import numpy as np


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """exp(x - max) / sum along one axis.

    Parameters
    ----------
    x : ndarray of any shape
    axis : int

    Returns
    -------
    float64 ndarray of the same shape
    """
    x = np.asarray(x, np.float64)
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

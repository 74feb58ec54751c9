"""The logarithm of the softmax, in float64."""
from __future__ import annotations

import numpy as np


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """x - max - log(sum exp(x - max)) along an axis, which does not underflow where the softmax does.

    Parameters
    ----------
    x : ndarray
    axis : int

    Returns
    -------
    float64 ndarray
    """
    shifted = np.asarray(x, np.float64)
    shifted = shifted - shifted.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

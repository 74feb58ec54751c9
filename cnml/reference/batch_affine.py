"""Normalization by the statistics of the batch."""
from __future__ import annotations

import numpy as np


def batch_affine(x: np.ndarray, scale: np.ndarray, shift: np.ndarray, eps: float) -> np.ndarray:
    """scale[c] * (x - mean) / (standard deviation + eps) + shift[c], mean and deviation over batch and positions (SegNet's BN in mode LEARN).

    Parameters
    ----------
    x : (N, C, …) ndarray
    scale, shift : ndarray of C elements
    eps : float

    Returns
    -------
    float64 ndarray shaped like `x`
    """
    x = np.asarray(x, np.float64)
    axes, shape = (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True)) + eps
    return (x - x.mean(axis=axes, keepdims=True)) / deviation * np.reshape(scale, shape) + np.reshape(shift, shape)

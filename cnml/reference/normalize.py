"""L2 normalization with learned scales (ParseNet, SSD)."""
from __future__ import annotations

import numpy as np


def normalize(x: np.ndarray, scale: np.ndarray, across_spatial: bool, eps: float) -> np.ndarray:
    """scale[c] * x / sqrt(sum of squares + eps), the sum over a whole image or over the channels of one position.

    Parameters
    ----------
    x : (N, C, …) ndarray
    scale : ndarray of C elements or one
    across_spatial : bool
    eps : float

    Returns
    -------
    float64 ndarray shaped like `x`
    """
    x = np.asarray(x, np.float64)
    axes = tuple(range(1, x.ndim)) if across_spatial else (1,)
    norm = np.sqrt((x * x).sum(axis=axes, keepdims=True) + eps)
    return x / norm * np.asarray(scale, np.float64).reshape((1, -1) + (1,) * (x.ndim - 2))

"""Inner product in float64."""
from __future__ import annotations

import numpy as np


def inner_product(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, transpose: bool = False) -> np.ndarray:
    """y = x wᵀ + bias.

    Parameters
    ----------
    x : (M, K) ndarray
    w : (N, K) ndarray, or (K, N) with `transpose`
    bias : (N,) ndarray or None
    transpose : bool

    Returns
    -------
    (M, N) float64 ndarray
    """
    w = np.asarray(w, np.float64)
    y = np.asarray(x, np.float64) @ (w if transpose else w.T)
    return y if bias is None else y + np.asarray(bias, np.float64)

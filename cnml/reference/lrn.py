"""Local response normalisation, in float64."""
from __future__ import annotations

import numpy as np

from cnml.reference.pool import pool_ave


def lrn_across(x: np.ndarray, size: int, alpha: float, beta: float, k: float) -> np.ndarray:
    """x * (k + alpha / size * sum of squares over `size` neighbouring channels) ** -beta.

    Parameters
    ----------
    x : (N, C, H, W)
    size : int, odd
    alpha, beta, k : float

    Returns
    -------
    (N, C, H, W) float64
    """
    x = np.asarray(x, np.float64)
    half = size // 2
    squares = np.pad(x * x, ((0, 0), (half, half), (0, 0), (0, 0)))
    sums = sum(squares[:, i:i + x.shape[1]] for i in range(size))
    return x * (k + alpha / size * sums) ** -beta


def lrn_within(x: np.ndarray, size: int, alpha: float, beta: float) -> np.ndarray:
    """x * (1 + alpha * mean of squares over size x size pixels, zeros outside counted) ** -beta. Arguments as `lrn_across`."""
    x = np.asarray(x, np.float64)
    pad = (size - 1) // 2
    mean = pool_ave(x * x, x.shape[2:], (size, size), (1, 1), (pad, pad))
    return x * (1 + alpha * mean) ** -beta

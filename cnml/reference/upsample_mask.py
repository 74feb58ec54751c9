"""Upsampling by recorded positions."""
from __future__ import annotations

import numpy as np


def upsample_mask(x: np.ndarray, mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """y[n, c].flat[mask[n, c, h, w]] = x[n, c, h, w], zero elsewhere.

    Of several values for one position the last in memory order stays (SegNet's Upsample). Positions outside the output are dropped.

    Parameters
    ----------
    x, mask : (N, C, H, W) ndarray
    height, width : int

    Returns
    -------
    (N, C, height, width) float64 ndarray
    """
    n, c = x.shape[:2]
    y = np.zeros((n * c, height * width))
    values, positions = np.asarray(x, np.float64).reshape(n * c, -1), np.asarray(mask).reshape(n * c, -1).astype(np.int64)
    for plane in range(n * c):
        valid = (positions[plane] >= 0) & (positions[plane] < height * width)
        y[plane, positions[plane][valid]] = values[plane][valid]
    return y.reshape(n, c, height, width)

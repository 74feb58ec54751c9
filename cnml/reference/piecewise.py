"""A function given by points."""
from __future__ import annotations

import numpy as np


def piecewise(x: np.ndarray, start: float, end: float, values: np.ndarray, below: float) -> np.ndarray:
    """Straight lines between points at equal distances; `below` left of the first point, the last value right of the last.

    Parameters
    ----------
    x : ndarray
    start, end : float
        Where the first and the last point stand.
    values : (K,) ndarray
        The function at the points, K >= 2.
    below : float

    Returns
    -------
    float64 ndarray
    """
    points = np.linspace(start, end, len(values))
    return np.interp(np.asarray(x, np.float64), points, np.asarray(values, np.float64), left=below)

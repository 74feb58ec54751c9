"""Pooling over windows whose borders are given."""
from __future__ import annotations

import numpy as np


def fractional_pool(x: np.ndarray, rows: tuple[int, ...], columns: tuple[int, ...], method: str, overlapping: bool) -> np.ndarray:
    """The maximum or mean of windows between consecutive borders; with `overlapping` a window holds the border behind it, too.

    Graham, "Fractional max-pooling" (2014).

    Parameters
    ----------
    x : (N, C, H, W) ndarray
    rows, columns : tuple of int
        Rising borders, one more than there are windows; the last is the extent.
    method : {"MAX", "AVE"}
    overlapping : bool

    Returns
    -------
    (N, C, len(rows) - 1, len(columns) - 1) float64 ndarray
    """
    data = np.asarray(x, np.float64)
    reduce = np.max if method == "MAX" else np.mean
    out = np.empty((*x.shape[:2], len(rows) - 1, len(columns) - 1))
    more = int(overlapping)
    for i, (top, bottom) in enumerate(zip(rows, rows[1:], strict=False)):
        for j, (left, right) in enumerate(zip(columns, columns[1:], strict=False)):
            out[:, :, i, j] = reduce(data[:, :, top:bottom + more, left:right + more], axis=(2, 3))
    return out

"""Rows of a table, picked by index."""
from __future__ import annotations

import numpy as np


def embed(x: np.ndarray, table: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """table[int(x)] + bias; NaN where the index is outside the table.

    Parameters
    ----------
    x : ndarray of any shape
        Indices, truncated to integers.
    table : (K, N) ndarray
    bias : (N,) ndarray or None

    Returns
    -------
    float64 ndarray of shape x.shape + (N,)
    """
    v = np.trunc(np.asarray(x, np.float64))
    inside = (v >= 0) & (v < len(table))
    rows = np.asarray(table, np.float64)[np.where(inside, v, 0).astype(np.int64)]
    rows[~inside] = np.nan
    return rows if bias is None else rows + bias

"""Indices of the largest values."""
from __future__ import annotations

import numpy as np


def arg_max(x: np.ndarray, k: int, axis: int | None, values: bool) -> np.ndarray:
    """The `k` largest values' indices (or the values), largest first, of equal values the larger index first.

    Parameters
    ----------
    x : ndarray
    k : int
    axis : int or None
        None: over all axes from 1 on.
    values : bool
        With an axis: values instead of indices. Without: both.

    Returns
    -------
    ndarray
        With an axis: x's shape with k along it. Without: (N, 2 or 1, k) and ones up to x's number of axes: indices, then values.
    """
    if axis is not None:
        order = _order(np.moveaxis(x, axis, -1), k)
        picked = np.take_along_axis(np.moveaxis(x, axis, -1), order, -1) if values else order
        return np.moveaxis(picked, -1, axis).astype(np.float64)
    rows = x.reshape(len(x), -1)
    order = _order(rows, k)
    parts = [order, np.take_along_axis(rows, order, 1)] if values else [order]
    out = np.stack([np.asarray(p, np.float64) for p in parts], 1)
    return out.reshape(out.shape + (1,) * max(0, x.ndim - 3))


def _order(rows: np.ndarray, k: int) -> np.ndarray:
    # a stable sort keeps ascending indices among equals; read backwards, the larger index comes first
    return np.argsort(rows, axis=-1, kind="stable")[..., ::-1][..., :k]

"""Separable resampling of images: every output row and column is a weighted sum of input rows and columns."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Taps(NamedTuple):
    """How the outputs of one axis come from its inputs.

    Attributes
    ----------
    index : (out, K) int64
        Inputs that contribute; entries from `count` on repeat a valid index.
    weight : (out, K) float32
    count : (out,) int64
        How many of the K entries are in use; 0 makes a zero.
    """

    index: np.ndarray
    weight: np.ndarray
    count: np.ndarray


def single_taps(index: np.ndarray) -> Taps:
    """Taps that copy: output i is input `index[i]`, or zero where it is negative."""
    index = np.asarray(index, np.int64)
    return Taps(np.maximum(index, 0)[:, None], np.ones((len(index), 1), np.float32), (index >= 0).astype(np.int64))


def dense_taps(matrix: np.ndarray) -> Taps:
    """Taps of an (out, in) matrix of weights: its entries that are not zero."""
    used = matrix != 0
    count = used.sum(axis=1).astype(np.int64)
    k = max(int(count.max(initial=0)), 1)
    order = np.argsort(~used, axis=1, kind="stable")[:, :k]
    if order.shape[1] < k:
        order = np.pad(order, ((0, 0), (0, k - order.shape[1])))
    return Taps(order.astype(np.int64), np.take_along_axis(matrix, order, axis=1).astype(np.float32), count)


def resample(x: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    """y[n, c, i, j] = sum of rows.weight[i, a] * columns.weight[j, b] * x[n, c, rows.index[i, a], columns.index[j, b]].

    Parameters
    ----------
    x : (N, C, H, W) ndarray
    rows, columns : Taps

    Returns
    -------
    (N, C, len(rows), len(columns)) float64 ndarray
    """
    y = _along(np.asarray(x, np.float64), columns, 3)
    return _along(y, rows, 2)


def _along(x: np.ndarray, taps: Taps, axis: int) -> np.ndarray:
    total = np.zeros(x.shape[:axis] + (len(taps.count),) + x.shape[axis + 1:])
    shape = [1] * 4
    shape[axis] = -1
    for k in range(taps.index.shape[1]):
        part = np.take(x, taps.index[:, k], axis=axis) * taps.weight[:, k].astype(np.float64).reshape(shape)
        total += np.where((taps.count > k).reshape(shape), part, 0.0)
    return total

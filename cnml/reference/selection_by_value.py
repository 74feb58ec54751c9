"""What depends on where a tensor is not 0, and gathers by index."""
from __future__ import annotations

import numpy as np


def nonzero_positions(x: np.ndarray) -> tuple[np.ndarray, int]:
    """Flat positions of the elements that are not 0, in C order, zeros behind them, and how many there are.

    Parameters
    ----------
    x : ndarray

    Returns
    -------
    positions : ndarray of x.size float64
    count : int
    """
    found = np.flatnonzero(x)
    positions = np.zeros(x.size)
    positions[:len(found)] = found
    return positions, len(found)


def compress(condition: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, int]:
    """The elements of x where the condition is not 0, in C order, zeros behind them, and how many there are.

    Parameters
    ----------
    condition, x : ndarray of the same shape

    Returns
    -------
    values : ndarray of x.size float64
    count : int
    """
    chosen = np.asarray(x, np.float64)[np.asarray(condition) != 0]
    values = np.zeros(x.size)
    values[:len(chosen)] = chosen
    return values, len(chosen)


def gather(x: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """The slices of x along an axis that the indices name, one after the other; zeros for an index outside.

    Parameters
    ----------
    x : ndarray
    index : ndarray
        Read flat, rounded down.
    axis : int

    Returns
    -------
    float64 ndarray
    """
    flat = np.floor(np.asarray(index, np.float64)).reshape(-1)
    inside = (flat >= 0) & (flat < x.shape[axis])
    taken = np.take(np.asarray(x, np.float64), np.where(inside, flat, 0).astype(np.int64), axis=axis)
    mask = inside.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    return np.where(mask, taken, 0)


def largest(x: np.ndarray, k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest along an axis from high to low, and where they stand; of equal ones the first comes first.

    Parameters
    ----------
    x : ndarray
    k, axis : int

    Returns
    -------
    values, positions : float64 ndarray
    """
    values = np.asarray(x, np.float64)
    order = np.argsort(-values, axis=axis, kind="stable").take(np.arange(k), axis=axis)
    return np.take_along_axis(values, order, axis=axis), order.astype(np.float64)

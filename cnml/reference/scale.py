"""Multiplication and addition of a factor that spans some axes, in float64."""
from __future__ import annotations

import numpy as np


def spread(factor: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    """A factor over axes axis .. axis + factor.ndim - 1, shaped to broadcast against `ndim` axes."""
    factor = np.asarray(factor, np.float64)
    return factor.reshape((1,) * axis + factor.shape + (1,) * (ndim - axis - factor.ndim))


def scale(x: np.ndarray, factor: np.ndarray, axis: int, shift: np.ndarray | None = None) -> np.ndarray:
    """x * factor + shift, both of shape x.shape[axis:axis + factor.ndim].

    Parameters
    ----------
    x : ndarray
    factor : ndarray
    axis : int
    shift : ndarray or None

    Returns
    -------
    float64 ndarray of x's shape
    """
    y = np.asarray(x, np.float64) * spread(factor, axis, x.ndim)
    return y if shift is None else y + spread(shift, axis, x.ndim)


def bias(x: np.ndarray, shift: np.ndarray, axis: int) -> np.ndarray:
    """x + shift, of shape x.shape[axis:axis + shift.ndim]."""
    return np.asarray(x, np.float64) + spread(shift, axis, x.ndim)

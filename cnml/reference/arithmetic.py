"""Sums, differences and products of two tensors, element by element or with one value a channel."""
from __future__ import annotations

import numpy as np

FUNCTIONS = {"add": np.add, "sub": np.subtract, "mul": np.multiply}


def arithmetic(function: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b, a - b or a * b.

    Parameters
    ----------
    function : {"add", "sub", "mul"}
    a : ndarray
    b : ndarray of the same shape

    Returns
    -------
    float64 ndarray
    """
    return FUNCTIONS[function](np.asarray(a, np.float64), np.asarray(b, np.float64))


def channel_arithmetic(function: str, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """x[n, c, …] combined with v[n, c] (or v[0, c]).

    Parameters
    ----------
    function : {"add", "sub", "mul"}
    x : (N, C, …) ndarray
    v : ndarray of N * C or C elements

    Returns
    -------
    float64 ndarray shaped like `x`
    """
    v = np.asarray(v, np.float64).reshape((-1, x.shape[1]) + (1,) * (x.ndim - 2))
    return FUNCTIONS[function](np.asarray(x, np.float64), v)


def axpy(a: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """a[n, c] * x[n, c, …] + y[n, c, …], the SENet's scale and residual in one step (float64)."""
    return channel_arithmetic("mul", x, a) + np.asarray(y, np.float64)

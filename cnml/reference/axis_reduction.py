"""One axis reduced to one element, in float64."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np


def _norm(x: np.ndarray, axis: int, keepdims: bool) -> np.ndarray:
    return np.sqrt((x * x).sum(axis=axis, keepdims=keepdims))


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {"max": np.max, "min": np.min, "sum": np.sum, "mean": np.mean, "norm": _norm}
#: functions that choose an element, and NumPy's function for where it stands
POSITIONS: dict[str, Callable[..., np.ndarray]] = {"max": np.argmax, "min": np.argmin}


def axis_reduction(x: np.ndarray, function: str, axis: int) -> np.ndarray:
    """The largest, smallest, sum, mean or Euclidean norm of each line along an axis, which keeps the extent 1.

    Parameters
    ----------
    x : ndarray
    function : {"max", "min", "sum", "mean", "norm"}
    axis : int

    Returns
    -------
    float64 ndarray
    """
    return FUNCTIONS[function](np.asarray(x, np.float64), axis=axis, keepdims=True)


def axis_position(x: np.ndarray, function: str, axis: int) -> np.ndarray:
    """Where the largest or smallest element stands, the first of equal ones; parameters as `axis_reduction`."""
    return np.expand_dims(POSITIONS[function](np.asarray(x, np.float64), axis=axis), axis).astype(np.float64)

"""Functions of one, two or three tensors, element by element, shapes broadcast as in NumPy; float64 unless they compare."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

Function = Callable[..., np.ndarray]


def rsqrt(x: np.ndarray) -> np.ndarray:
    """1 / sqrt(x)."""
    return 1 / np.sqrt(x)


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; infinite or NaN for b = 0."""
    return a / b


def logical_not(x: np.ndarray) -> np.ndarray:
    """1 where x is 0, else 0."""
    return (x == 0).astype(np.float64)


def logical(function: Function) -> Function:
    """A function of truth values (anything but 0 is true) whose results are 1 and 0."""
    def apply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return function(a != 0, b != 0).astype(np.float64)
    return apply


def comparison(function: Function) -> Function:
    """A comparison whose results are 1 and 0."""
    def apply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return function(a, b).astype(np.float64)
    return apply


def fake_quantize(x: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """The value that x has as an unsigned number of 8 bits: (clip(round(x / scale) + offset, 0, 255) - offset) * scale, halves away from zero."""
    units = x / scale
    whole = np.trunc(units)
    whole = whole + np.where(np.abs(units - whole) >= 0.5, np.copysign(1.0, units), 0)
    return (np.clip(whole + offset, 0, 255) - offset) * scale


def choose(condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a where the condition is not 0, else b."""
    return np.where(condition != 0, a, b)


#: name → function and how many tensors it takes; further arguments are numbers
FUNCTIONS: dict[str, tuple[Function, int]] = {
    "rsqrt": (rsqrt, 1), "floor": (np.floor, 1), "sin": (np.sin, 1), "cos": (np.cos, 1), "fake_quantize": (fake_quantize, 1),
    "not": (logical_not, 1),
    "divide": (divide, 2), "maximum": (np.maximum, 2), "minimum": (np.minimum, 2),
    "and": (logical(np.logical_and), 2), "or": (logical(np.logical_or), 2), "xor": (logical(np.logical_xor), 2),
    "equal": (comparison(np.equal), 2), "not_equal": (comparison(np.not_equal), 2), "less": (comparison(np.less), 2),
    "less_equal": (comparison(np.less_equal), 2), "greater": (comparison(np.greater), 2), "greater_equal": (comparison(np.greater_equal), 2),
    "choose": (choose, 3),
}


def elementwise(function: str, tensors: list[np.ndarray], numbers: tuple[float, ...] = ()) -> np.ndarray:
    """One of `FUNCTIONS` on arrays.

    Parameters
    ----------
    function : str
    tensors : list of ndarray
        Shapes that broadcast.
    numbers : tuple of float

    Returns
    -------
    float64 ndarray
    """
    with np.errstate(all="ignore"):
        return FUNCTIONS[function][0](*(np.asarray(t, np.float64) for t in tensors), *numbers)

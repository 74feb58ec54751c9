"""Element-wise functions of one array, in float64."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

Function = Callable[..., np.ndarray]


def relu(x: np.ndarray, slope: float) -> np.ndarray:
    """max(x, 0) + slope * min(x, 0); -inf gives NaN for slope 0, as in Caffe."""
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def relu_limit(x: np.ndarray, slope: float, limit: float) -> np.ndarray:
    """min(relu(x), limit): the vendor's ReLU with `upper_limit`."""
    return np.minimum(relu(x, slope), limit)


def clip(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """max(low, min(x, high)) with C++'s argument order: NaN becomes `low`."""
    return np.where(np.isnan(x), low, np.maximum(low, np.minimum(x, high)))


def elu(x: np.ndarray, alpha: float) -> np.ndarray:
    """x for x > 0, else alpha * (exp(x) - 1); NaN becomes alpha * NaN."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """tanh(x / 2) / 2 + 1 / 2."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def swish(x: np.ndarray, beta: float) -> np.ndarray:
    """x * sigmoid(beta * x)."""
    return x * sigmoid(beta * x)


def bnll(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)) without overflow."""
    return np.where(x > 0, x, 0) + np.log1p(np.exp(-np.abs(x)))


def exp(x: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """exp(inner * x) * outer."""
    return np.exp(inner * x) * outer


def log(x: np.ndarray, scale: float, shift: float, outer: float) -> np.ndarray:
    """log(scale * x + shift) * outer."""
    return np.log(scale * x + shift) * outer


def power(x: np.ndarray, exponent: float, scale: float, shift: float) -> np.ndarray:
    """(shift + scale * x) ** exponent; a constant that ignores x when scale * exponent is 0."""
    if exponent * scale == 0:
        return np.full(np.shape(x), 1.0 if exponent == 0 else np.float_power(shift, exponent))
    # float_power, because power with a scalar 0.5 is sqrt, which differs at -inf; adding 0 would turn -0 into 0, and 1 / -0 is not 1 / 0
    y = scale * x + shift if shift != 0 else scale * x
    return y if exponent == 1 else np.float_power(y, exponent)


def threshold(x: np.ndarray, limit: float) -> np.ndarray:
    """1 where x > limit, else 0."""
    return (x > limit).astype(np.float64)


FUNCTIONS: dict[str, Function] = {
    "relu": relu, "relu_limit": relu_limit, "clip": clip, "elu": elu, "sigmoid": sigmoid, "tanh": np.tanh, "abs": np.abs,
    "swish": swish, "bnll": bnll, "exp": exp, "log": log, "power": power, "threshold": threshold,
}


def unary(x: np.ndarray, function: str, params: tuple[float, ...]) -> np.ndarray:
    """One of `FUNCTIONS` on every element.

    Parameters
    ----------
    x : ndarray of any shape
    function : str
    params : tuple of float

    Returns
    -------
    float64 ndarray of the same shape
    """
    return FUNCTIONS[function](np.asarray(x, np.float64), *params)

"""Parameters of weights, per output channel where the channels can be told apart."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnml.quantization import QuantParam
from pycaffe_acc.quantize.value_range import joined, param_of

#: weight blob, axis of its output channels (None: they cannot be told apart), largest code → parameters; ValueError with a reason
WeightRule = Callable[[np.ndarray, "int | None", int], QuantParam]
#: ranges that are tried, as shares of the largest magnitude: the best one is seldom below half of it in 8 bits
_SHARES = np.linspace(1.0, 0.5, 26)


def absmax_weights(values: np.ndarray, axis: int | None, limit: int) -> QuantParam:
    """Position and scale with which the largest magnitude becomes the largest code.

    Channels of zeros, which pruned nets have, get position 0 and scale 1.

    Parameters
    ----------
    values : ndarray of float32
    axis : int or None
        One position and scale per channel along it, or (None) for all.
    limit : int

    Raises
    ------
    ValueError
        When all values are 0.
    """
    return _joined(_largest(_rows(values, axis)), axis, limit)


def mse_weights(values: np.ndarray, axis: int | None, limit: int) -> QuantParam:
    """Position and scale with the smallest sum of squared quantization errors.

    Parameters
    ----------
    values : ndarray of float32
    axis : int or None
        As `absmax_weights`.
    limit : int

    Raises
    ------
    ValueError
        When all values are 0.
    """
    rows = _rows(values, axis)
    largest = _largest(rows)
    best, least = largest.copy(), np.full(len(rows), np.inf)
    for share in _SHARES:
        step = np.where(largest > 0, largest, 1.0).astype(np.float32)[:, None] * np.float32(share / limit)
        codes = np.clip(np.rint(rows / step), -limit, limit)
        error = np.square(codes * step - rows).sum(1, dtype=np.float64)
        better = error < least
        least[better], best[better] = error[better], share * largest[better]
    return _joined(best, axis, limit)


def _rows(values: np.ndarray, axis: int | None) -> np.ndarray:
    """One row a channel."""
    return values.reshape(1, -1) if axis is None else np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def _largest(rows: np.ndarray) -> np.ndarray:
    if not rows.size or not rows.any():
        raise ValueError("all values are 0")
    return np.abs(rows).max(1).astype(np.float64)


def _joined(largest: np.ndarray, axis: int | None, limit: int) -> QuantParam:
    params = [param_of(float(v), limit) for v in largest]
    if axis is None:
        return params[0]
    return joined(params)


#: by the names of `pycaffe_acc.quantize.calibration_options.WEIGHT_RANGES`
WEIGHT_RULES: dict[str, WeightRule] = {"absmax": absmax_weights, "mse": mse_weights}

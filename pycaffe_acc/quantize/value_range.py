"""How far the values of a tensor reach, and the codes that follow."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cnml.quantization import QuantParam, position_of, scale_of
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_UINT8, LIMITS


class ValueRange(NamedTuple):
    """What lies beyond is clipped.

    Attributes
    ----------
    largest : float
        The magnitude that becomes the largest code; at least 0.
    dtype : int
        DT_INT8, DT_INT16, or DT_UINT8 for values that are never negative.
    """

    largest: float
    dtype: int

    @property
    def param(self) -> QuantParam:
        """Position and scale."""
        return param_of(self.largest, LIMITS[self.dtype])


def range_of(largest: float, dtype: int, negative: bool) -> ValueRange:
    """A range, unsigned if the values are never negative and 8 bits are wanted."""
    return ValueRange(largest, DT_UINT8 if dtype == DT_INT8 and not negative else dtype)


def param_of(largest: float, limit: int) -> QuantParam:
    """Position and scale with which `largest` becomes `limit`; those of 1 for 0.

    Parameters
    ----------
    largest : float
        At least 0.
    limit : int
        Largest code.
    """
    position = position_of(largest, limit)
    return QuantParam(position, scale_of(largest, position, limit))


def joined(params: Sequence[QuantParam]) -> QuantParam:
    """One parameter per channel, from those of the channels."""
    pairs = [(int(p.position), float(p.scale)) for p in params]  # type: ignore[arg-type]
    return QuantParam(tuple(position for position, _ in pairs), tuple(scale for _, scale in pairs))


def reach(param: QuantParam, limit: int) -> np.ndarray:
    """The magnitudes that become the largest code: float64, one, or one per channel."""
    position, scale = np.broadcast_arrays(np.asarray(param.position, np.int64), np.asarray(param.scale, np.float64))
    return np.asarray(np.ldexp(limit / scale, position))


def checked_range(largest: float) -> float:
    """A magnitude that is of use.

    Raises
    ------
    ValueError
        With the reason, for one that is not: never seen (negative), 0, infinite or not a number.
    """
    if math.isnan(largest) or math.isinf(largest):
        raise ValueError(f"the range is {largest}; it must be finite")
    if largest < 0:
        raise ValueError("no calibration image brought a value")
    if largest == 0:
        raise ValueError("all values were 0 in all calibration images")
    return largest

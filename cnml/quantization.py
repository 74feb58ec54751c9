"""Numbers of 8 and 16 bits: what a position and a scale mean, and how they follow from a range.

A quantized value `q` stands for the real value `q * 2**position / scale`; there is no zero point. The vendor's tools write positions only (scale 1).
"""
from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cnml.errors import CnmlError, Status

INT8_LIMIT = 127
INT16_LIMIT = 32767
#: positions that the vendor's rule can give
LARGEST_POSITION = 32


class QuantParam(NamedTuple):
    """What one unit of a quantized tensor is worth: `2**position / scale`.

    Attributes
    ----------
    position : int or tuple of int
        Power of two; a tuple has one entry per output channel.
    scale : float or tuple of float
        Positive; a tuple has one entry per output channel.
    """

    position: int | tuple[int, ...]
    scale: float | tuple[float, ...] = 1.0

    @property
    def per_channel(self) -> bool:
        """Whether either number is given per output channel."""
        return isinstance(self.position, tuple) or isinstance(self.scale, tuple)


def position_of(absmax: float, limit: int = INT8_LIMIT) -> int:
    """The position that the vendor's tools give a range.

    r = log2(absmax / limit), both in float32; 1 is added where r > 0; the sum is held within ±32 and truncated toward zero. Mostly the smallest
    position that clips nothing, but one more where absmax / limit is an exact positive power of two, and one less just above
    limit * 2**k for k <= 0, where float32 rounds r to k.

    Parameters
    ----------
    absmax : float
        Largest magnitude of the tensor, rounded to float32.
    limit : int
        Largest code: INT8_LIMIT or INT16_LIMIT.

    Returns
    -------
    int
        In [-32, 32]; 0 for a tensor of zeros.

    Raises
    ------
    CnmlError
        `absmax` is negative, infinite or not a number.
    """
    largest = _checked(absmax)
    quotient = float(largest / np.float32(limit))
    if largest == 0:
        return 0
    if quotient == 0:  # below the smallest float32
        return -LARGEST_POSITION
    exponent = np.float32(math.log2(quotient))
    if exponent > 0:
        exponent += np.float32(1)
    return int(min(max(exponent, np.float32(-LARGEST_POSITION)), np.float32(LARGEST_POSITION)))


def lrn_position(absmax: float, alpha: float, limit: int = INT8_LIMIT) -> int:
    """The vendor's position of an LRN's bottom: that of absmax**2 * alpha, the largest term of the sum, in float32.

    Parameters
    ----------
    absmax : float
        Largest magnitude of the bottom.
    alpha : float
        The layer's `alpha`, not divided by the window.
    limit : int

    Returns
    -------
    int

    Raises
    ------
    CnmlError
        As `position_of`; also where the square is beyond float32.
    """
    return position_of(float(_square(absmax) * np.float32(alpha)), limit)


def normalize_position(absmax: float, limit: int = INT8_LIMIT) -> int:
    """The vendor's position for a Normalize layer: that of absmax**2 in float32.

    Parameters
    ----------
    absmax : float
        Largest magnitude of the values that are squared.
    limit : int

    Returns
    -------
    int

    Raises
    ------
    CnmlError
        As `lrn_position`.
    """
    return position_of(float(_square(absmax)), limit)


def scale_of(absmax: float, position: int, limit: int = INT8_LIMIT) -> float:
    """The scale with which `absmax` becomes the largest code: limit * 2**position / absmax.

    Parameters
    ----------
    absmax : float
    position : int
    limit : int

    Returns
    -------
    float
        A float32 value, as a prototxt holds it; 1 for a tensor of zeros.

    Raises
    ------
    CnmlError
        `absmax` is negative, infinite or not a number.
    """
    largest = float(_checked(absmax))
    return float(np.float32(math.ldexp(limit, position) / largest)) if largest else 1.0


def quantize(x: np.ndarray, param: QuantParam, axis: int = 0, limit: int = INT8_LIMIT) -> np.ndarray:
    """The codes of real values: round(x * scale / 2**position), halves away from zero, held within ±limit.

    Parameters
    ----------
    x : ndarray of float
        Rounded to float32; the product with the float32 value of scale / 2**position is rounded to float32 too.
    param : QuantParam
    axis : int
        Where the channels of a per-channel `param` lie in `x`.
    limit : int
        INT8_LIMIT or INT16_LIMIT.

    Returns
    -------
    ndarray of int8, or of int16 for a larger limit
        Of the shape of `x`; a NaN becomes 0.

    Raises
    ------
    CnmlError
        A scale that is not positive and finite, or a number of entries that is not the axis' extent.
    """
    values = np.asarray(x, np.float32)
    position, scale = _spread(param, values.shape, axis)
    with np.errstate(all="ignore"):
        units = values * np.ldexp(scale.astype(np.float32), -position).astype(np.float32)
    units = np.where(np.isnan(units), np.float32(0), np.clip(units, -np.float32(limit), np.float32(limit)))
    whole = np.trunc(units)
    whole += np.where(np.abs(units - whole) >= 0.5, np.copysign(np.float32(1), units), np.float32(0))
    return whole.astype(np.int8 if limit <= INT8_LIMIT else np.int16)


def dequantize(q: np.ndarray, param: QuantParam, axis: int = 0) -> np.ndarray:
    """The real values of codes: q * 2**position / scale.

    Parameters
    ----------
    q : ndarray of int
    param : QuantParam
    axis : int
        Where the channels of a per-channel `param` lie in `q`.

    Returns
    -------
    ndarray of float32
        Of the shape of `q`: the float32 code times the float32 value of 2**position / scale.

    Raises
    ------
    CnmlError
        As `quantize`.
    """
    codes = np.asarray(q)
    position, scale = _spread(param, codes.shape, axis)
    return codes.astype(np.float32) * np.ldexp(1 / scale, position).astype(np.float32)


def _checked(absmax: float) -> np.float32:
    if not math.isfinite(absmax) or absmax < 0:
        raise CnmlError(f"failed to quantize a range of {absmax}: the largest magnitude must be finite and not negative", Status.RANGEERR)
    with np.errstate(over="ignore"):
        single = np.float32(absmax)
    if not np.isfinite(single):
        raise CnmlError(f"failed to quantize a range of {absmax}: the largest magnitude must fit float32", Status.RANGEERR)
    return single


def _square(absmax: float) -> np.float32:
    single = _checked(absmax)
    with np.errstate(over="ignore", under="ignore"):
        return single * single


def _spread(param: QuantParam, shape: tuple[int, ...], axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Position (int) and scale (float64), each shaped so that it broadcasts over `shape`."""
    position, scale = np.asarray(param.position, np.int64), np.asarray(np.asarray(param.scale, np.float32), np.float64)
    if not (np.all(np.isfinite(scale)) and np.all(scale > 0)):
        raise CnmlError(f"failed to quantize with scale {param.scale}: a scale must be positive and finite")
    spread = []
    for name, entries in (("position", position), ("scale", scale)):
        if entries.ndim == 0:
            spread.append(entries)
            continue
        if not -len(shape) <= axis < len(shape) or len(entries) != shape[axis]:
            raise CnmlError(f"failed to quantize shape {shape} with {len(entries)} values of {name}: "
                            f"there must be one per channel of axis {axis}")
        extents = [1] * len(shape)
        extents[axis] = len(entries)
        spread.append(entries.reshape(extents))
    return spread[0], spread[1]

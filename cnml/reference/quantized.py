"""Elementwise work on codes, channels last, every operation on floats rounded to float32 by itself."""
from __future__ import annotations

import numpy as np

from cnml.reference.codes import decode, encode


def activated(t: np.ndarray, mode: int, low: float, high: float) -> np.ndarray:
    """The activation of a kernel: 0 nothing, 1 max(x, 0), 2 x < 0 ? low * x : x, 3 max(low, min(x, high)); NaN stays but in 3, where it is `low`.

    Parameters
    ----------
    t : float32 ndarray
    mode : int
    low, high : float

    Returns
    -------
    float32 ndarray

    Raises
    ------
    ValueError
        Another mode.
    """
    least, most, zero = np.float32(low), np.float32(high), np.float32(0)
    if mode == 0:
        return t
    if mode == 1:
        return np.where(zero > t, zero, t)
    if mode == 2:
        return np.where(t < zero, least * t, t)
    if mode == 3:
        under = np.where(most < t, most, t)
        return np.where(least < under, under, least)
    raise ValueError(f"failed to activate with mode {mode}: known are 0 (nothing), 1 (ReLU), 2 (leaky ReLU) and 3 (clip)")


def quantize(x: np.ndarray, factor: float, least: float, most: float, zero: int) -> np.ndarray:
    """Codes of x * factor: uint8 of the shape of `x`."""
    return encode(np.asarray(x, np.float32) * np.float32(factor), least, most, zero)  # type: ignore[arg-type]


def quantize_planes(x: np.ndarray, factor: float, least: float, most: float, zero: int) -> np.ndarray:
    """Codes of (N, C, pixels) float32 with C <= 4 as (N, pixels, 4) uint8; channels that are missing are `zero`."""
    y = np.full((x.shape[0], x.shape[2], 4), zero, np.uint8)
    y[..., :x.shape[1]] = quantize(x, factor, least, most, zero).transpose(0, 2, 1)
    return y


def normalized_codes(x: np.ndarray, slope: np.ndarray, bias: np.ndarray, factor: float, least: float, most: float, zero: int) -> np.ndarray:
    """Codes of (x * slope + bias) * factor.

    Parameters
    ----------
    x : (N, C, ...) float32
    slope, bias : arrays of C elements
    factor, least, most, zero
        See `cnml.reference.codes.encode`.

    Returns
    -------
    uint8 ndarray of the shape of `x`
    """
    a, b = (np.asarray(v, np.float32).reshape((1, -1) + (1,) * (x.ndim - 2)) for v in (slope, bias))
    return quantize(np.asarray(x, np.float32) * a + b, factor, least, most, zero)


def dequantize(codes: np.ndarray, factor: float, zero: int) -> np.ndarray:
    """(codes - zero) * factor as float32."""
    return decode(codes, zero) * np.float32(factor)


def requantize(codes: np.ndarray, factor: float, x_zero: int, least: float, most: float, zero: int) -> np.ndarray:
    """Codes of (codes - x_zero) * factor."""
    return encode(dequantize(codes, factor, x_zero), least, most, zero)  # type: ignore[arg-type]


def sum_codes(a: np.ndarray, b: np.ndarray, factors: tuple[float, float], zeros: tuple[int, int], activation: tuple[int, float, float],
              limits: tuple[float, float, int]) -> np.ndarray:
    """Codes of activation((a - zeros[0]) * factors[0] + (b - zeros[1]) * factors[1]).

    Parameters
    ----------
    a, b : uint8 ndarrays of one shape
    factors, zeros : one of each for both
    activation : (mode, low, high)
        See `activated`.
    limits : (least, most, zero)
        Of the result, see `cnml.reference.codes.encode`.

    Returns
    -------
    uint8 ndarray
    """
    t = dequantize(a, factors[0], zeros[0]) + dequantize(b, factors[1], zeros[1])
    return encode(activated(t, *activation), *limits)  # type: ignore[arg-type]

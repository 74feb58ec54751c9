"""Codes of quantized values: from float32 and back."""
from __future__ import annotations

import numpy as np


def encode(x: np.ndarray, least: int, most: int, zero: int) -> np.ndarray:
    """round(clamp(x, least, most)) + zero as unsigned bytes, halves away from zero; a NaN becomes `least`.

    Parameters
    ----------
    x : ndarray
        In units of the codes, rounded to float32.
    least, most, zero : int
        See `cnml.codes.Codes`.

    Returns
    -------
    uint8 ndarray
    """
    units = np.asarray(x, np.float32)
    units = np.where(np.isnan(units), np.float32(least), np.clip(units, np.float32(least), np.float32(most)))
    whole = np.trunc(units)
    whole += np.where(np.abs(units - whole) >= 0.5, np.copysign(np.float32(1), units), np.float32(0))
    return (whole + np.float32(zero)).astype(np.uint8)


def decode(codes: np.ndarray, zero: int) -> np.ndarray:
    """codes - zero as float32: values in units."""
    return (codes.astype(np.int32) - zero).astype(np.float32)

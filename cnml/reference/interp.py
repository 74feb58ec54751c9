"""Taps of bilinear interpolation and of nearest-neighbour upsampling."""
from __future__ import annotations

import numpy as np

from cnml.reference.resample import Taps, single_taps


def bilinear_taps(size: int, out: int, offset: int = 0, align_corners: bool = True) -> Taps:
    """Two taps for each of `out` positions over `size` inputs that begin at `offset`.

    With aligned corners the source of i is i * (size - 1) / (out - 1), else (i + 0.5) * size / out - 0.5 from 0 on. Single precision, as in DeepLab's
    Interp, whose rounding decides which pixel a source falls into.

    Parameters
    ----------
    size, out : int
    offset : int
        Added to every index (cropping).
    align_corners : bool

    Returns
    -------
    Taps
    """
    one, half = np.float32(1), np.float32(0.5)
    position = np.arange(out, dtype=np.float32)
    if align_corners:
        ratio = np.float32(size - 1) / np.float32(out - 1) if out > 1 else np.float32(0)
        source = ratio * position
    else:
        source = np.maximum(np.float32(size) / np.float32(out) * (position + half) - half, np.float32(0))
    low = np.minimum(source.astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    fraction = source - low.astype(np.float32)
    return Taps(np.stack([low, high], axis=1) + offset, np.stack([one - fraction, fraction], axis=1).astype(np.float32), np.full(out, 2, np.int64))


def nearest_taps(size: int, out: int, rounded_corners: bool = False) -> Taps:
    """One tap for each output: floor(i * size / out), or round(i * (size - 1) / (out - 1)) as the vendor's fork has it."""
    position = np.arange(out, dtype=np.int64)
    if not rounded_corners:
        return single_taps(position * size // out)
    ratio = np.float32(size - 1) / np.float32(out - 1) if out > 1 else np.float32(0)
    return single_taps(np.floor(position.astype(np.float32) * ratio + np.float32(0.5)).astype(np.int64))

"""Every n-th element of a range on each axis."""
from __future__ import annotations

import numpy as np


def strided_slice(x: np.ndarray, begin: tuple[int, ...], end: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    """x[begin:end:stride] on each axis; negative numbers count from the end, as in Python.

    Parameters
    ----------
    x : ndarray
    begin, end, stride : tuple of int
        One number an axis.

    Returns
    -------
    ndarray
    """
    return x[tuple(slice(b, e, s) for b, e, s in zip(begin, end, stride, strict=True))]

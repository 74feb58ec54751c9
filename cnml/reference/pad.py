"""Zero padding and cropping."""
from __future__ import annotations

import numpy as np


def pad(x: np.ndarray, before: tuple[int, ...], after: tuple[int, ...], value: float) -> np.ndarray:
    """`before[i]` and `after[i]` elements of `value` put around axis i; negative numbers cut off.

    Parameters
    ----------
    x : ndarray
    before, after : tuple of int, one each axis
    value : float

    Returns
    -------
    ndarray
    """
    inner = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, b, a in zip(x.shape, before, after, strict=True))
    widths = [(max(b, 0), max(a, 0)) for b, a in zip(before, after, strict=True)]
    return np.pad(x[inner], widths, constant_values=value)

"""Element-wise sum, product and maximum of several arrays, in float64."""
from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np


def eltwise(xs: Sequence[np.ndarray], operation: str, coeff: Sequence[float]) -> np.ndarray:
    """SUM of coeff_i * x_i (a coefficient 0 skips its array, NaN and all), PROD, or MAX.

    MAX of the first two is a > b ? a : b, so a NaN in `a` yields b and one in `b` stays; a later array replaces what it exceeds.

    Parameters
    ----------
    xs : arrays of one shape, two or more
    operation : str
    coeff : one float each, for SUM

    Returns
    -------
    float64 ndarray of that shape
    """
    arrays = [np.asarray(x, np.float64) for x in xs]
    if operation == "SUM":
        return sum((c * x for c, x in zip(coeff, arrays, strict=True) if c != 0), np.zeros(arrays[0].shape))
    if operation == "PROD":
        return reduce(np.multiply, arrays)
    best = np.where(arrays[0] > arrays[1], arrays[0], arrays[1])
    for x in arrays[2:]:
        best = np.where(x > best, x, best)
    return best

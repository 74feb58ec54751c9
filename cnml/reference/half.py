"""Half precision as the kernels round to it."""
from __future__ import annotations

import numpy as np

LARGEST = 65504.0


def half_bits(x: np.ndarray) -> np.ndarray:
    """The nearest half of every float32, ties to even, at most ±65504; a NaN stays one.

    Parameters
    ----------
    x : ndarray of float
        Wider floats are rounded to float32 first.

    Returns
    -------
    ndarray of uint16
        Of the shape of `x`.
    """
    with np.errstate(all="ignore"):
        single = np.asarray(x, np.float32)
        return np.clip(single, np.float32(-LARGEST), np.float32(LARGEST)).astype(np.float16).view(np.uint16)


def round_half(x: np.ndarray) -> np.ndarray:
    """As `half_bits`, widened to float32 again."""
    return half_bits(x).view(np.float16).astype(np.float32)

"""Products of matrices in the last two axes, in float64."""
from __future__ import annotations

import numpy as np


def matrix_product(a: np.ndarray, b: np.ndarray, transpose_a: bool = False, transpose_b: bool = False) -> np.ndarray:
    """a b for every matrix of the leading axes, either of them transposed before.

    Parameters
    ----------
    a : (…, I, K) ndarray, or (…, K, I) with `transpose_a`
    b : (…, K, J) ndarray, or (…, J, K) with `transpose_b`
    transpose_a, transpose_b : bool

    Returns
    -------
    (…, I, J) float64 ndarray
    """
    left, right = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.matmul(np.swapaxes(left, -1, -2) if transpose_a else left, np.swapaxes(right, -1, -2) if transpose_b else right)

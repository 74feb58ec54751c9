"""Permutation of axes."""
from __future__ import annotations

import numpy as np


def permute(x: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """y's axis i is x's axis order[i].

    Parameters
    ----------
    x : ndarray of any shape
    order : tuple of int
        Each axis of `x` once.

    Returns
    -------
    ndarray, a view of `x`
    """
    return np.transpose(x, order)

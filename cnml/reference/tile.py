"""Repetition along one axis."""
from __future__ import annotations

import numpy as np


def tile(x: np.ndarray, axis: int, tiles: int) -> np.ndarray:
    """`tiles` copies of x behind one another along `axis`.

    Parameters
    ----------
    x : ndarray
    axis, tiles : int

    Returns
    -------
    ndarray
    """
    return np.concatenate([x] * tiles, axis=axis)

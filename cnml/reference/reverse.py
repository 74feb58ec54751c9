"""Reversal of an axis."""
from __future__ import annotations

import numpy as np


def reverse(x: np.ndarray, axis: int) -> np.ndarray:
    """x with one axis read backwards (a view)."""
    return np.flip(x, axis)

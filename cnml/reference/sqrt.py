"""Square root."""
from __future__ import annotations

import numpy as np


def sqrt(x: np.ndarray) -> np.ndarray:
    """The square root in float64; NaN for negative numbers."""
    return np.sqrt(np.asarray(x, np.float64))

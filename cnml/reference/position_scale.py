"""One factor for each position of an image."""
from __future__ import annotations

import numpy as np


def position_scale(x: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """x[n, c, h, w] * factors[h, w] in float64."""
    return np.asarray(x, np.float64) * factors

"""MobileNet v3's activation."""
from __future__ import annotations

import numpy as np


def hard_swish(x: np.ndarray) -> np.ndarray:
    """x * min(max(x + 3, 0), 6) / 6 in float64."""
    x = np.asarray(x, np.float64)
    return x * np.clip(x + 3, 0, 6) / 6

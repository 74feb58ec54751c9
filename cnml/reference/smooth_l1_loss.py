"""Fast R-CNN's box loss."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def smooth_l1_loss(inputs: Sequence[np.ndarray], sigma: float) -> float:
    """Sum of outside * f(inside * (x - target)) / N; f(d) = 0.5 (sigma d)^2 for |d| < 1 / sigma^2, else |d| - 0.5 / sigma^2.

    Parameters
    ----------
    inputs : sequence of ndarray
        Predictions, targets, and inside and outside weights or neither.
    sigma : float

    Returns
    -------
    float
    """
    x, target, *weights = (np.asarray(v, np.float64).reshape(-1) for v in inputs)
    inside, outside = weights if weights else (1.0, 1.0)
    s = sigma * sigma
    d = np.abs(inside * (x - target))
    loss = np.where(d < 1 / s, 0.5 * s * d * d, d - 0.5 / s)
    return float((outside * loss).sum() / inputs[0].shape[0])

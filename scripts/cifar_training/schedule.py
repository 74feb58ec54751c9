"""The learning rate over a training."""
from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to 0 (Loshchilov and Hutter 2016, without restarts).

    Parameters
    ----------
    step : int
        0 to steps - 1.
    steps : int
        Of the whole training.
    peak : float
        The rate of step `warmup`, the highest.
    warmup : int
        Steps before that; rates peak / (warmup + 1) · 1, 2, …

    Returns
    -------
    float
        Above 0 in every step.
    """
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

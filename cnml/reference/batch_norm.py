"""Batch normalisation without its affine part, in float64."""
from __future__ import annotations

import numpy as np


def stored_statistics(mean: np.ndarray, variance: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance from running sums: both divided by the stored factor, 0 when that is 0."""
    f = float(np.asarray(factor).reshape(-1)[0])
    by = 0.0 if f == 0 else 1.0 / f
    return np.asarray(mean, np.float64) * by, np.asarray(variance, np.float64) * by


def normalize(x: np.ndarray, mean: np.ndarray, variance: np.ndarray, eps: float) -> np.ndarray:
    """(x - mean) / sqrt(variance + eps) per channel (axis 1)."""
    column = (1, -1) + (1,) * (x.ndim - 2)
    return (np.asarray(x, np.float64) - mean.reshape(column)) / np.sqrt(variance + eps).reshape(column)


def batch_statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of every channel."""
    axes = (0, *range(2, x.ndim))
    x = np.asarray(x, np.float64)
    return x.mean(axis=axes), x.var(axis=axes)


def update_statistics(parameters: list[np.ndarray], mean: np.ndarray, variance: np.ndarray, samples: int, fraction: float) -> None:
    """Fold one batch into the running sums, in place: each is scaled by `fraction` and the new value added, the variance unbiased."""
    unbiased = samples / (samples - 1) if samples > 1 else 1.0
    for stored, new in zip(parameters, (mean, unbiased * variance, 1.0), strict=False):
        stored[...] = stored * fraction + new

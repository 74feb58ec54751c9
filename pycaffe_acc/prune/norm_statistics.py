"""What pruning shifts is taken back from unlabelled images: biases, and the means and variances of BatchNorm layers.

A layer's output keeps its mean over the images channel by channel, and a BatchNorm's output its mean and its variance: they are what the unpruned net
has on the same images, so an unpruned net stays as it is, however few the images are.
"""
from __future__ import annotations

from typing import Any

import numpy as np


def channel_mean(parts: list[np.ndarray], axis: int = 1) -> np.ndarray:
    """Mean over all other axes and all parts: (C,) float64."""
    others = tuple(a for a in range(parts[0].ndim) if a != axis % parts[0].ndim)
    return np.asarray(sum(p.sum(others, dtype=np.float64) for p in parts) / sum(p.size // p.shape[axis] for p in parts))


def channel_variance(parts: list[np.ndarray], mean: np.ndarray) -> np.ndarray:
    """Variance around a mean over all axes but 1: (C,) float64."""
    shaped = mean.astype(np.float32).reshape(1, -1, *[1] * (parts[0].ndim - 2))
    return channel_mean([np.square(p - shaped) for p in parts])


def uses_stored_statistics(layer: Any) -> bool:
    """Whether a BatchNorm layer's message makes it normalise with what its blobs hold."""
    p = layer.batch_norm_param
    return bool(p.use_global_stats or not p.HasField("use_global_stats"))


def restore_statistics(layer: Any, blobs: list[np.ndarray], before: list[np.ndarray], now: list[np.ndarray]) -> None:
    """Change a BatchNorm's mean and variance in place.

    With the stored mean m and variance v, the old bottom's mean a and variance b and the new one's c and d, where variances include eps:
    r = sqrt(d / b), v' = r^2 v, m' = c - r (a - m).

    Parameters
    ----------
    layer : LayerParameter
    blobs : list of ndarray
        Mean and variance, both times the third blob.
    before, now : list of (N, C, …) float32
        The bottom in the unpruned net and in the pruned one.
    """
    mean, variance, factor = blobs[:3]
    if not factor.flat[0]:
        return  # the layer reads both as zeros, whatever they hold
    scale, eps = 1 / float(factor.flat[0]), float(layer.batch_norm_param.eps)
    old, new = channel_mean(before), channel_mean(now)
    ratio = np.sqrt((channel_variance(now, new) + eps) / (channel_variance(before, old) + eps))
    mean[...] = ((new - ratio * (old - mean * scale)) / scale).reshape(mean.shape)
    variance[...] = (np.maximum(np.square(ratio) * (variance * scale + eps) - eps, 0) / scale).reshape(variance.shape)

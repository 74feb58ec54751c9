"""A low-rank recurrent filter for speech, in float64."""
from __future__ import annotations

import numpy as np


def svdf(x: np.ndarray, state: np.ndarray, feature: np.ndarray, time: np.ndarray, bias: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """One step: the newest projection of x enters each filter's memory, and the output is the sum of rank filters over time.

    state'[n, f] = (state[n, f, 1:], x[n] . feature[f]); y[n, u] = bias[u] + sum of state'[n, f] . time[f] over the rank filters from u * rank on.
    Nakkiran et al., "Compressing deep neural networks using a rank-constrained topology" (2015).

    Parameters
    ----------
    x : (N, K) ndarray
    state : (N, F, T) ndarray
    feature : (F, K) ndarray
    time : (F, T) ndarray
    bias : (U,) ndarray or None
        F is a multiple of U; without a bias U is F.

    Returns
    -------
    y : (N, U) float64 ndarray
    state : (N, F, T) float64 ndarray
    """
    newest = np.asarray(x, np.float64) @ np.asarray(feature, np.float64).T
    after = np.concatenate([np.asarray(state, np.float64)[:, :, 1:], newest[:, :, None]], axis=2)
    filtered = (after * np.asarray(time, np.float64)).sum(axis=2)
    units = filtered.shape[1] if bias is None else len(bias)
    summed = filtered.reshape(len(x), units, -1).sum(axis=2)
    return (summed if bias is None else summed + np.asarray(bias, np.float64)), after

"""Greedy non-maximum suppression."""
from __future__ import annotations

import importlib

import numpy as np


def nms(boxes: np.ndarray, order: np.ndarray, threshold: float, *, eta: float = 1.0, margin: float = 0.0, strict: bool = False, limit: int = -1) -> np.ndarray:
    """Indices of the boxes that remain, best first; see `cnml.kernels.nms.suppress` for the parameters.

    Parameters
    ----------
    boxes : (N, 4) float32 ndarray
    order : (M,) ndarray of int
        Candidates, best first.
    limit : int
        Largest number to keep; negative: all.

    Returns
    -------
    int64 ndarray
    """
    if len(order) == 0:
        return np.empty(0, np.int64)
    # imported here because it imports Numba, which nets without detection layers do without
    suppress = importlib.import_module("cnml.kernels.nms").suppress
    kept = np.empty(len(order), np.int64)
    count = suppress(np.ascontiguousarray(boxes, np.float32), np.ascontiguousarray(order, np.int64), float(threshold), float(eta), float(margin), bool(strict),
                     len(order) if limit < 0 else limit, kept)
    return kept[:count]


def descending(scores: np.ndarray, limit: int = -1) -> np.ndarray:
    """Indices that sort scores from high to low, equal ones in their order; at most `limit` of them unless it is negative."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order if limit < 0 else order[:limit]

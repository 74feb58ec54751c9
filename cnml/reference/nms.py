"""Greedy non-maximum suppression."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: `nms`, or something faster with the same parameters and result
Suppression = Callable[..., np.ndarray]


def nms(boxes: np.ndarray, order: np.ndarray, threshold: float, *, eta: float = 1.0, margin: float = 0.0, limit: int = -1) -> np.ndarray:
    """Walk the boxes in `order` and keep each whose overlap with no kept box is above the threshold.

    Parameters
    ----------
    boxes : (N, 4) float32 ndarray
        xmin, ymin, xmax, ymax.
    order : (M,) ndarray of int
        Candidates, best first.
    threshold : float
        Largest overlap (intersection over union) that is kept.
    eta : float
        Below 1: the threshold shrinks by it after each kept box while it is above 0.5.
    margin : float
        1 for boxes in whole pixels, 0 for others: added to widths and heights.
    limit : int
        Largest number to keep; negative: all.

    Returns
    -------
    int64 ndarray
        Indices of the boxes that remain, best first.
    """
    boxes, margin, threshold = np.asarray(boxes, np.float32), np.float32(margin), np.float32(threshold)
    areas = (boxes[:, 2] - boxes[:, 0] + margin) * (boxes[:, 3] - boxes[:, 1] + margin)
    if margin == 0:
        areas = np.where((boxes[:, 2:] < boxes[:, :2]).any(axis=1), np.float32(0), areas)
    kept: list[int] = []
    for i in order:
        if 0 <= limit <= len(kept):
            break
        others = boxes[kept]
        sides = np.minimum(boxes[i, 2:], others[:, 2:]) - np.maximum(boxes[i, :2], others[:, :2]) + margin
        both = np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], np.float32(0))
        with np.errstate(all="ignore"):
            overlap = np.where(both > 0, both / (areas[i] + areas[kept] - both), np.float32(0))
        if not (overlap > threshold).any():
            kept.append(int(i))
            if eta < 1 and threshold > 0.5:
                threshold = np.float32(threshold * np.float32(eta))
    return np.array(kept, np.int64)


def descending(scores: np.ndarray, limit: int = -1) -> np.ndarray:
    """Indices that sort scores from high to low, equal ones in their order; at most `limit` of them unless it is negative."""
    scores = np.asarray(scores)
    if 0 < limit < len(scores) // 2:
        # only what can be among the first is sorted: everything from the limit-th largest value on, with its equals
        above = np.flatnonzero(scores >= np.partition(scores, len(scores) - limit)[len(scores) - limit])
        return above[np.argsort(-scores[above], kind="stable")][:limit]
    order = np.argsort(-scores, kind="stable")
    return order if limit < 0 else order[:limit]

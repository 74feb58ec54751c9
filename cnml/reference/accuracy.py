"""Share of right classifications."""
from __future__ import annotations

import numpy as np


def accuracy(x: np.ndarray, labels: np.ndarray, axis: int, top_k: int, ignore: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Share of outputs whose label is among the `top_k` best scores.

    A score equal to the label's counts as better than it.

    Parameters
    ----------
    x : ndarray
        Scores; classes along `axis`.
    labels : ndarray
        As many as x has lines along `axis`.
    axis, top_k : int
    ignore : int or None
        Label of outputs that do not count.

    Returns
    -------
    overall : float64 scalar array
        0 when nothing counts.
    per_class : (classes,) float64 ndarray
        0 for classes without an output.
    """
    outer = int(np.prod(x.shape[:axis], dtype=np.int64))
    classes = x.shape[axis]
    scores = np.asarray(x).reshape(outer, classes, -1)
    y = np.asarray(labels).reshape(outer, scores.shape[2]).astype(np.int64)
    counted = np.ones(y.shape, bool) if ignore is None else y != ignore
    safe = np.where(counted, y, 0)
    best = np.take_along_axis(scores, safe[:, None, :], 1)
    hit = ((scores >= best).sum(axis=1) - 1 < top_k) & counted
    hits = np.bincount(safe[hit], minlength=classes).astype(np.float64)
    number = np.bincount(safe[counted], minlength=classes)
    total = int(counted.sum())
    return np.asarray(hit.sum() / total if total else 0.0), np.divide(hits, number, out=np.zeros(classes), where=number > 0)

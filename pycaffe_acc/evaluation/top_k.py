"""Ranking of class scores."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.errors import CheckError


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Classes of the k largest scores, best first; equal scores in order of class.

    Parameters
    ----------
    scores : (N, classes) float32
    k : int

    Returns
    -------
    (N, min(k, classes)) int64

    Raises
    ------
    CheckError
        When the scores hold NaN: a ranking of them would be an accident.
    """
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise CheckError(f"scores have the shape {scores.shape}; a ranking needs (images, classes)")
    if np.isnan(scores).any():
        raise CheckError(f"{int(np.isnan(scores).any(1).sum())} of {len(scores)} images have NaN scores; look for the first layer with NaN before "
                         "ranking classes")
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


class TopK:
    """Counts how often the true class is the first, and among the first five.

    Attributes
    ----------
    images : int
        Seen so far.
    hits1, hits5 : int
    """

    def __init__(self) -> None:
        self.images = self.hits1 = self.hits5 = 0

    def add(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Count a batch.

        Parameters
        ----------
        scores : (N, classes) float32
        labels : (N,) int

        Raises
        ------
        CheckError
            For a label that is no class of the net.
        """
        labels = np.asarray(labels)
        bad = labels[(labels < 0) | (labels >= scores.shape[1])]
        if bad.size:
            raise CheckError(f"label {int(bad[0])} is no class of the net, which has {scores.shape[1]}; is this the list that belongs to the model?")
        hits = top_k(scores, 5) == labels[:, None]
        self.images += len(labels)
        self.hits1 += int(hits[:, 0].sum())
        self.hits5 += int(hits.any(1).sum())

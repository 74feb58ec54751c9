"""The answers of all pipelines, gathered by image."""
from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.report import Accuracy
from pycaffe_acc.evaluation.top_k import TopK, top_k

#: best classes kept of each image
_KEPT = 5


class Answers:
    """Counts hits and keeps the best classes of each image.

    Parameters
    ----------
    labels : (images,) int64
        In the order of the data set.
    keep_scores : bool
    progress : callable, optional
        Called with the number of images of each batch.

    Attributes
    ----------
    best : (images, 5) int64
        Best first; -1 where there is no answer yet (or there are fewer classes).
    scores : dict of int to float32 ndarray
        Of each image as the net gave them, if they are to be kept.
    """

    def __init__(self, labels: np.ndarray, keep_scores: bool = False, progress: Callable[[int], object] | None = None):
        self.best = np.full((len(labels), _KEPT), -1, np.int64)
        self.scores: dict[int, np.ndarray] = {}
        self._labels, self._keep, self._progress = labels, keep_scores, progress
        self._hits = TopK()
        self._lock = threading.Lock()

    @property
    def images(self) -> int:
        """How many were answered."""
        return self._hits.images

    @property
    def accuracy(self) -> Accuracy:
        """Top-1 and top-5 of the answers so far."""
        return Accuracy(self._hits.images, self._hits.hits1, self._hits.hits5)

    def add(self, values: np.ndarray, indices: list[int]) -> None:
        """Take the scores of a batch; may be called by several threads.

        Parameters
        ----------
        values : (n, classes, ...) float32
        indices : list of n int
            Numbers of the images.

        Raises
        ------
        CheckError
            For scores with NaN.
        """
        scores = class_scores(values)
        ranked = top_k(scores, _KEPT)
        with self._lock:
            self._hits.add(scores, self._labels[indices])
            self.best[indices, :ranked.shape[1]] = ranked
            if self._keep:
                self.scores.update(zip(indices, values.copy(), strict=True))
            if self._progress is not None:
                self._progress(len(indices))


def class_scores(values: np.ndarray) -> np.ndarray:
    """(N, classes, …) → (N, classes): scores of a fully convolutional net are averaged over positions."""
    if values.ndim < 2:
        raise CheckError(f"scores of shape {values.shape} have no class axis; they must be (images, classes)")
    return values.reshape(*values.shape[:2], -1).mean(2)

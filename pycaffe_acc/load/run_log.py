"""What a performance run leaves behind."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from pycaffe_acc.load.query import Failure, Query, Served

#: with so many failed queries a run ends: it is invalid, and its list is long enough
MOST_FAILURES = 1000

#: says in what an answer differs from the accuracy run's: (sample, scores) → sentence or None
Difference = Callable[[int, np.ndarray], str | None]


class RunLog:
    """Times of the queries, failures, and the answers that were compared.

    Parameters
    ----------
    difference : callable, optional
        Compares one answer; without it none is.

    Attributes
    ----------
    served : list of Served
    failures : list of Failure
    batches : Counter
        How often a batch had so many images.
    checked : int
        Answers that were compared,
    mismatches : list of str
        and in what some of them differed.
    images : int
        That were answered.
    wall_ns : int
        From the beginning to the end of the last query.
    ended_ns : int
        When a worker asked for a query and there was none any more; 0 after a run that was stopped.
    stopped : str
        Why the run ended before its time; empty when it did not.
    """

    def __init__(self, difference: Difference | None = None):
        self._difference = difference
        self.served: list[Served] = []
        self.failures: list[Failure] = []
        self.batches: Counter[int] = Counter()
        self.checked = self.images = self.wall_ns = self.ended_ns = 0
        self.mismatches: list[str] = []
        self.stopped = ""

    @property
    def compares(self) -> bool:
        """Whether answers are compared."""
        return self._difference is not None

    def answered(self, batch: tuple[Query, ...], started_ns: int, finished_ns: int, scores: np.ndarray | None) -> None:
        """Keep a batch that was answered, and compare what is to be compared.

        Parameters
        ----------
        batch : tuple of Query
        started_ns, finished_ns : int
        scores : (n, classes) float32, or None
            Of the queries' samples one after the other; None when none of them is compared and nobody computed them.
        """
        images = sum(len(q.samples) for q in batch)
        if scores is not None and (scores.ndim != 2 or len(scores) != images):
            self.failed(batch, finished_ns, f"the engine gave scores of shape {scores.shape} for {images} images")
            return
        row = 0
        for query in batch:
            count = len(query.samples)
            self.served.append(Served(query.number, count, query.scheduled_ns, started_ns, finished_ns))
            if query.checked and self._difference is not None and scores is not None:
                self._compare(query, scores[row:row + count], self._difference)
            row += count
        self.batches[images] += 1
        self.images += images
        self.wall_ns = max(self.wall_ns, finished_ns)

    def _compare(self, query: Query, scores: np.ndarray, difference: Difference) -> None:
        for sample, values in zip(query.samples, scores, strict=True):
            self.checked += 1
            found = difference(sample, values)
            if found is not None:
                self.mismatches.append(f"query {query.number}, {found}")

    def failed(self, batch: tuple[Query, ...], finished_ns: int, reason: str) -> None:
        """Keep a batch that got no answer: all its queries failed."""
        self.failures += [Failure(q.number, q.samples, reason) for q in batch]
        self.wall_ns = max(self.wall_ns, finished_ns)
        if len(self.failures) >= MOST_FAILURES:
            self.stopped = f"{len(self.failures)} queries failed"

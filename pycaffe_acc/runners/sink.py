"""What is done with the results of a batch."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.runners.batches import Batch, Tell
from pycaffe_acc.runners.figures import FILLER
from pycaffe_acc.runners.top5 import Hits, ranking_lines, top5


class Sink(Protocol):
    """Takes one batch after the other."""

    hits: Hits

    def take(self, results: np.ndarray, batch: Batch) -> None:
        """Look at the results of a batch.

        Parameters
        ----------
        results : float32 ndarray
            Of the engine's `output_shape`.
        batch : Batch
        """


#: makes a sink for each pipeline
MakeSink = Callable[[Tell], Sink]


class ClassSink:
    """Ranks class scores, prints the best five of every image and counts hits.

    Parameters
    ----------
    labels : sequence of str
        A name for each class.
    tell : callable
        Gets lines.

    Attributes
    ----------
    hits : Hits
    """

    def __init__(self, labels: Sequence[str], tell: Tell):
        self.hits = Hits()
        self._labels, self._tell = labels, tell

    def take(self, results: np.ndarray, batch: Batch) -> None:
        """See `Sink.take`."""
        rows = results.reshape(len(batch.names), -1)
        for row, name, label in zip(rows, batch.names, batch.labels, strict=True):
            if name == FILLER:
                continue
            ranked = top5(row)
            self._tell("\n".join(ranking_lines(name, ranked, self._labels)))
            self.hits.add(ranked, label)


def check_classes(labels: Sequence[str], output_shape: tuple[int, ...], path: str) -> None:
    """Raise a `CheckError` unless the labels file has a line for each value of an image's results.

    Parameters
    ----------
    labels : sequence of str
    output_shape : tuple of int
    path : str
        Of the labels file, for the message.
    """
    classes = 1
    for extent in output_shape[1:]:
        classes *= extent
    if len(labels) != classes:
        raise CheckError(f"{path}: {len(labels)} lines, and an image's results are {classes} values; is this the model's labels file?")

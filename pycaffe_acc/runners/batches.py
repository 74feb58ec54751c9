"""Batches of decoded and prepared images."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from cnrt import trace
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.runners.figures import FILLER, Figure
from pycaffe_acc.runners.pixels import Preparation

Tell = Callable[[str], None]


class Batch(NamedTuple):
    """What a net takes at once.

    Attributes
    ----------
    values : (n, C, H, W) float32
    names : list of str
        "null" for the copies at the end of the last batch.
    labels : list of int
    sizes : list of (int, int)
        Height and width of the images as they were.
    """

    values: np.ndarray
    names: list[str]
    labels: list[int]
    sizes: list[tuple[int, int]]


def batches(figures: Sequence[Figure], count: int, prepare: Preparation, tell: Tell) -> Iterator[Batch]:
    """Read images until a batch is full; what cannot be read is named and left out, and the last image fills up the last batch.

    Parameters
    ----------
    figures : sequence of Figure
    count : int
        Images in a batch.
    prepare : Preparation
    tell : callable
        Gets the line of an image that cannot be read.

    Yields
    ------
    Batch
        With an array of its own.
    """
    rows: list[np.ndarray] = []
    kept: list[tuple[str, int, tuple[int, int]]] = []
    for figure in figures:
        try:
            with trace.host_step("decode"):
                pixels = prepare.read(figure.file)
        except (MissingFileError, ImageError):
            tell(f"failed to read {figure.path}")
            continue
        with trace.host_step("preprocess"):
            rows.append(prepare(pixels))
        kept.append((figure.path, figure.label, prepare.size(pixels)))
        if len(rows) == count:
            yield _batch(rows, kept)
            rows, kept = [], []
    if rows:
        missing = count - len(rows)
        yield _batch(rows + rows[-1:] * missing, kept + [(FILLER, -1, kept[-1][2])] * missing)


def _batch(rows: list[np.ndarray], kept: list[tuple[str, int, tuple[int, int]]]) -> Batch:
    return Batch(np.stack(rows), [n for n, _, _ in kept], [label for _, label, _ in kept], [size for _, _, size in kept])

"""The accuracy run: every image once, its answer kept."""
from __future__ import annotations

from collections.abc import Callable

from pycaffe_acc.load.answers import Answers
from pycaffe_acc.load.engine import Engine
from pycaffe_acc.load.held_images import HeldImages


def accuracy_run(answers: Answers, engine: Engine, images: HeldImages, count: int, batch: int, at_once: int,
                 progress: Callable[[int], object] | None = None) -> None:
    """Answer the first images of a data set.

    Parameters
    ----------
    answers : Answers
        Is filled.
    engine : Engine
    images : HeldImages
        Of the engine; holds other images afterwards.
    count : int
        Images, from the first.
    batch : int
        In one call of the engine.
    at_once : int
        Images that are held in memory at a time.
    progress : callable, optional
        Called with the number of images after each batch.

    Raises
    ------
    CaffeError
        For an image that cannot be read, NaN scores, a label that is no class.
    """
    labels = images.dataset.labels
    for begin in range(0, count, at_once):
        numbers = range(begin, min(begin + at_once, count))
        images.hold(numbers)
        for first in range(0, len(numbers), batch):
            part = numbers[first:first + batch]
            answers.add(part, engine.answer(part), labels[part.start:part.stop])
            if progress is not None:
                progress(len(part))

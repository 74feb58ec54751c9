"""The runners' ranking of class scores, and their count of hits."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pycaffe_acc.runners.number import number

_KEPT = 5


class Ranked(NamedTuple):
    """A place in the ranking."""

    score: float
    label: int


def top5(scores: np.ndarray) -> list[Ranked]:
    """The five best classes of an image, best first; equal scores in order of class.

    The places begin as class 0 with score 0, so that scores which are not positive never take one (and NaN never does).

    Parameters
    ----------
    scores : (classes,) float32

    Returns
    -------
    list of 5 Ranked
    """
    flat = np.where(scores > 0, scores, np.float32(0)).ravel()
    best = [i for i in np.argsort(-flat, kind="stable")[:_KEPT] if flat[i] > 0]
    return [Ranked(float(flat[i]), int(i)) for i in best] + [Ranked(0.0, 0)] * (_KEPT - len(best))


def ranking_lines(name: str, ranked: Sequence[Ranked], labels: Sequence[str]) -> list[str]:
    """What is printed of an image: a head, then five lines "score - label"."""
    return ["", f"----- top5 for {name}", *(f"{r.score:.4f} - {labels[r.label]}" for r in ranked)]


class Hits:
    """How often the label is the best class, and among the best five.

    Attributes
    ----------
    top1, top5, images : int
    """

    def __init__(self) -> None:
        self.top1 = self.top5 = self.images = 0

    def add(self, ranked: Sequence[Ranked], label: int) -> None:
        """Count an image."""
        self.images += 1
        self.top1 += ranked[0].label == label
        self.top5 += any(r.label == label for r in ranked)

    def __add__(self, other: Hits) -> Hits:
        both = Hits()
        both.top1, both.top5, both.images = self.top1 + other.top1, self.top5 + other.top5, self.images + other.images
        return both

    def lines(self, total: int, words: tuple[str, str] = ("accuracy1", "accuracy5")) -> list[str]:
        """The two lines of accuracy over `total` images."""
        return [f"{word}: {number(hits / max(total, 1))} ({hits}/{total})" for word, hits in zip(words, (self.top1, self.top5), strict=True)]

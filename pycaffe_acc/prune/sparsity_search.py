"""The largest sparsity at which accuracy stays within a bound."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

STEP = 0.05


@dataclass(frozen=True)
class Trial:
    """One measurement.

    Attributes
    ----------
    sparsity : float
        That was asked for.
    top1 : float
        Percent.
    """

    sparsity: float
    top1: float


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes
    ----------
    dense_top1 : float
        Percent.
    max_drop : float
        The bound, in points.
    trials : tuple of Trial
        In the order they were run.
    best : Trial or None
        The one with the largest sparsity that is within the bound; None if none is.
    """

    dense_top1: float
    max_drop: float
    trials: tuple[Trial, ...]
    best: Trial | None


def search(measure: Callable[[float], float], dense_top1: float, max_drop: float, most: float) -> Outcome:
    """Halve the interval between a sparsity that is within the bound and one that is not.

    Accuracy over a few hundred images is no smooth function of sparsity, so what is returned is a sparsity that was measured.

    Parameters
    ----------
    measure : callable
        Sparsity → top-1 in percent.
    dense_top1 : float
    max_drop : float
        Points; accuracy may be lower by no more.
    most : float
        The largest sparsity to try; others are multiples of 0.05.

    Returns
    -------
    Outcome
    """
    trials: list[Trial] = []
    grid = [STEP * k for k in range(1, int(most / STEP + 1e-9) + 1) if STEP * k < most - 1e-9] + [most]

    def holds(k: int) -> bool:
        trials.append(Trial(round(grid[k], 6), measure(round(grid[k], 6))))
        return dense_top1 - trials[-1].top1 <= max_drop + 1e-9
    good, bad = -1, len(grid)
    if holds(len(grid) - 1):
        good = len(grid) - 1
    else:
        bad = len(grid) - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    within = [t for t in trials if dense_top1 - t.top1 <= max_drop + 1e-9]
    return Outcome(dense_top1, max_drop, tuple(trials), max(within, key=lambda t: t.sparsity, default=None))

"""Return layers to floating point until accuracy is within a bound."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_GROWTH = 1.5  # of the number of layers from one trial to the next


@dataclass(frozen=True)
class Trial:
    """One measurement.

    Attributes
    ----------
    kept : int
        How many layers stayed in floating point.
    top1 : float
        Percent.
    """

    kept: int
    top1: float


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes
    ----------
    float_top1 : float
        Percent of the float net.
    max_drop : float
        The bound, in points.
    trials : tuple of Trial
        In the order they were run; the first one with every layer in INT8.
    kept : tuple of int
        Layers that stay in floating point, those that matter most first.
    top1 : float
        With those; of the best trial where no trial meets the bound.
    met : bool
        Whether the bound holds with some layer left in INT8.
    """

    float_top1: float
    max_drop: float
    trials: tuple[Trial, ...]
    kept: tuple[int, ...]
    top1: float
    met: bool

    @property
    def drop(self) -> float:
        """Points lost; negative for a gain."""
        return self.float_top1 - self.top1


def search(ranking: Callable[[], Sequence[int]], measure: Callable[[Sequence[int]], float], float_top1: float, max_drop: float) -> Outcome:
    """Find how many of the worst layers have to stay in floating point.

    The number grows until the bound holds, then it is narrowed down between the last failure and the first success. Accuracy over a few hundred
    images is no smooth function of the number, so what is returned is a number that was measured, not one that was concluded.

    Parameters
    ----------
    ranking : callable
        Gives the layers that can be returned, the worst first; called only if the bound does not hold from the start. One at least stays in INT8.
    measure : callable
        Layers that stay in floating point → top-1 in percent.
    float_top1 : float
    max_drop : float
        Points; accuracy may be lower by no more.

    Returns
    -------
    Outcome
    """
    trials: list[Trial] = []

    def holds(kept: Sequence[int]) -> bool:
        trials.append(Trial(len(kept), measure(kept)))
        return float_top1 - trials[-1].top1 <= max_drop + 1e-9

    if holds(()):
        return Outcome(float_top1, max_drop, tuple(trials), (), trials[0].top1, True)
    order = tuple(ranking())
    most, failed, n = len(order) - 1, 0, 1
    while n <= most and not holds(order[:n]):
        larger = max(n + 1, int(n * _GROWTH))
        failed, n = n, larger if n == most else min(larger, most)
    if n > most:
        best = max(trials, key=lambda t: t.top1)
        return Outcome(float_top1, max_drop, tuple(trials), order[:best.kept], best.top1, False)
    while n - failed > 1:
        middle = (n + failed) // 2
        if holds(order[:middle]):
            n = middle
        else:
            failed = middle
    top1 = next(t.top1 for t in trials if t.kept == n)
    return Outcome(float_top1, max_drop, tuple(trials), order[:n], top1, True)

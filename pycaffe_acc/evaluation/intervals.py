"""Arithmetic on time intervals."""
from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator

import numpy as np

Interval = tuple[int, int]


class Intervals:
    """Many intervals in little memory: 16 bytes each.

    Parameters
    ----------
    found : iterable of (start_ns, end_ns)
    """

    def __init__(self, found: Iterable[Interval] = ()):
        self._ends = array("q")
        self.extend(found)

    def append(self, interval: Interval) -> None:
        """Add one."""
        self._ends.extend(interval)

    def extend(self, found: Iterable[Interval]) -> None:
        """Add some."""
        for interval in found:
            self._ends.extend(interval)

    def __len__(self) -> int:
        return len(self._ends) // 2

    def __iter__(self) -> Iterator[Interval]:
        return zip(self._ends[::2], self._ends[1::2], strict=True)

    def __contains__(self, interval: object) -> bool:
        return any(own == interval for own in self)


def union_ns(intervals: Iterable[Interval]) -> int:
    """Length of the union of intervals.

    Parameters
    ----------
    intervals : iterable of (start_ns, end_ns)
        In any order, overlapping or not.

    Returns
    -------
    int
        Nanoseconds in which at least one interval is open.
    """
    total = 0
    reach = None
    for start, end in sorted(intervals):
        if end < start:
            raise ValueError(f"an interval ends at {end} ns, before it starts at {start} ns")
        if reach is None or start > reach:
            total += end - start
            reach = end
        elif end > reach:
            total += end - reach
            reach = end
    return total


def percentiles_ms(intervals: Collection[Interval], points: Collection[float] = (50, 90, 99)) -> dict[str, float]:
    """Percentiles of the intervals' lengths: {"p50": ms, …}."""
    lengths = [(end - start) * 1e-6 for start, end in intervals]
    return {f"p{p:g}": float(np.percentile(lengths, p)) for p in points}

"""Arithmetic on time intervals."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

Interval = tuple[int, int]


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


def percentiles_ms(intervals: Sequence[Interval], points: Sequence[float] = (50, 90, 99)) -> dict[str, float]:
    """Percentiles of the intervals' lengths: {"p50": ms, …}."""
    lengths = [(end - start) * 1e-6 for start, end in intervals]
    return {f"p{p:g}": float(np.percentile(lengths, p)) for p in points}

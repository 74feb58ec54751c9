"""Percentiles and histograms of times."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

POINTS = (50.0, 90.0, 95.0, 97.0, 99.0)
_BINS = 40


def nearest_rank(ordered: Sequence[float] | np.ndarray, percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed: always one of the values, never between two.

    Parameters
    ----------
    ordered : sequence of float
        Rising, at least one.
    percent : float
        Above 0, at most 100.
    """
    # the product of two decimals can lie a rounding error above a whole number, which would count as one more
    rank = math.ceil(round(percent * len(ordered) / 100, 9))
    return float(ordered[max(rank, 1) - 1])


def spread_ms(times_ns: np.ndarray, extra: float | None = None) -> dict[str, float] | None:
    """Mean, extremes and percentiles of times in ms; None without times.

    Parameters
    ----------
    times_ns : (n,) int64
    extra : float, optional
        One more percentile.

    Returns
    -------
    dict of str to float, or None
        "mean", "min", "max", "p50", "p90", …
    """
    if not len(times_ns):
        return None
    ordered = np.sort(times_ns) * 1e-6
    points = sorted({*POINTS, *(() if extra is None else (extra,))})
    return {"mean": float(ordered.mean()), "min": float(ordered[0]), "max": float(ordered[-1]),
            **{f"p{p:g}": nearest_rank(ordered, p) for p in points}}


def histogram(times_ns: np.ndarray) -> dict[str, Any] | None:
    """Counts between edges that rise by equal factors, since latencies under load spread over orders of magnitude.

    Parameters
    ----------
    times_ns : (n,) int64

    Returns
    -------
    dict or None
        "edges_ms", one more than "counts"; the counts' sum is n. None without times.
    """
    if not len(times_ns):
        return None
    times = np.maximum(times_ns, 1) * 1e-6
    low, high = float(times.min()), float(times.max())
    edges = np.geomspace(low, high, _BINS + 1) if high > low * (1 + 1e-9) else np.array([low, high * (1 + 1e-6)])
    edges[0], edges[-1] = low, max(high, float(edges[-1]))
    counts, _ = np.histogram(times, edges)
    return {"edges_ms": edges.tolist(), "counts": counts.tolist()}

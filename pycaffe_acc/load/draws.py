"""What chance decides in a run, from seeds that are recorded."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

_CHUNK = 4096


def seeds(seed: int) -> dict[str, int]:
    """Three independent seeds from one.

    Parameters
    ----------
    seed : int
        At least 0.

    Returns
    -------
    dict of str to int
        "samples" (which images), "arrivals" (when) and "checks" (whose answers are compared).
    """
    parts = np.random.SeedSequence(seed).generate_state(3)
    return {name: int(part) for name, part in zip(("samples", "arrivals", "checks"), parts, strict=True)}


def sample_numbers(resident: Sequence[int], seed: int) -> Iterator[int]:
    """Images drawn with replacement, without end.

    Parameters
    ----------
    resident : sequence of int
        What may be drawn.
    seed : int
    """
    rng, numbers = np.random.default_rng(seed), np.asarray(resident, np.int64)
    while True:
        yield from numbers[rng.integers(0, len(numbers), _CHUNK)].tolist()


def check_marks(share: float, seed: int) -> Iterator[bool]:
    """True for a share of the queries, without end; the first query is always one of them unless the share is 0."""
    rng = np.random.default_rng(seed)
    yield share > 0
    while True:
        yield from (rng.random(_CHUNK) < share).tolist()


def poisson_arrivals(qps: float, least_ns: int, least: int, seed: int) -> list[int]:
    """Moments of a Poisson process: intervals are independent and exponential with the mean 1 / qps.

    The same seed gives the same moments at every rate, but for their scale, so that runs at two rates differ by the rate alone.

    Parameters
    ----------
    qps : float
        Above 0.
    least_ns, least : int
        Arrivals go on until both this time has passed and there are so many.
    seed : int

    Returns
    -------
    list of int
        Nanoseconds from the beginning, rising; the last is the first that satisfies both.
    """
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    reached, count = 0.0, 0
    while reached < least_ns or count < least:
        part = reached + np.cumsum(rng.standard_exponential(_CHUNK)) * (1e9 / qps)
        parts.append(part)
        reached, count = float(part[-1]), count + _CHUNK
    moments = np.rint(np.concatenate(parts)).astype(np.int64)
    end = max(int(np.searchsorted(moments, least_ns)) + 1, least)
    return [int(m) for m in moments[:end]]

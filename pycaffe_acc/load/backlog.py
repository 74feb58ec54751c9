"""Queries that wait, and who gets which of them when: one for each way of arriving."""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from pycaffe_acc.load.draws import check_marks, poisson_arrivals, sample_numbers, seeds
from pycaffe_acc.load.query import Query
from pycaffe_acc.load.scenario import MOST_QUERIES, Scenario, Settings


class Wait(NamedTuple):
    """Nothing to do before a moment."""

    until_ns: int


#: what a worker is told: take these, come back later, or (None) go home
Step = tuple[Query, ...] | Wait | None


class Backlog(Protocol):
    """Where workers ask for work; the caller sees to it that one asks at a time.

    Attributes
    ----------
    planned : int or None
        How many queries there will be, where that is known beforehand.
    """

    planned: int | None

    def take(self, now_ns: int) -> Step:
        """The next batch at a moment from the beginning of the run."""


class Arrivals:
    """Server: queries of one image at given moments, gathered into batches.

    A batch is given out when it is full, or when its oldest query has waited `delay_ns` since its arrival. Workers fetch queries themselves: a query
    whose moment has passed waits here, so nothing that delays a worker can delay an arrival (no coordinated omission).

    Parameters
    ----------
    queries : sequence of Query
        By rising moment.
    max_batch : int
    delay_ns : int
    """

    def __init__(self, queries: Sequence[Query], max_batch: int = 1, delay_ns: int = 0):
        self._queries, self._max, self._delay = queries, max_batch, delay_ns
        self._moments = [q.scheduled_ns for q in queries]
        self._next = 0
        self.planned: int | None = len(queries)

    def take(self, now_ns: int) -> Step:
        """See `Backlog.take`."""
        first, last = self._next, self._next + self._max
        if first == len(self._moments):
            return None
        due = self._moments[first] + self._delay
        if last <= len(self._moments):
            due = min(due, self._moments[last - 1])
        if now_ns < due:
            return Wait(due)
        self._next = min(last, bisect_right(self._moments, now_ns, first))
        return tuple(self._queries[first:self._next])


class Endless:
    """Streams and Offline: there is always a next query, until both the time and the number of images are reached.

    Parameters
    ----------
    settings : Settings
    resident : sequence of int
    """

    planned: int | None = None

    def __init__(self, settings: Settings, resident: Sequence[int]):
        seed = seeds(settings.seed)
        self._samples, self._marks = sample_numbers(resident, seed["samples"]), check_marks(settings.check_share, seed["checks"])
        self._stream, self._each = settings.scenario.stream, settings.samples_per_query
        self._width = 1 if self._stream else settings.max_batch
        self._least_ns, self._least = int(settings.min_seconds * 1e9), settings.min_queries
        self._issued = 0

    def take(self, now_ns: int) -> Step:
        """See `Backlog.take`. A stream's query arrives when it is asked for, since that is when the one before it was answered; Offline's all arrived
        at the beginning.
        """
        if self._issued >= MOST_QUERIES or now_ns >= self._least_ns and self._issued >= self._least:
            return None
        begin, self._issued = self._issued, self._issued + self._width
        moment = now_ns if self._stream else 0
        return tuple(Query(i, tuple(islice(self._samples, self._each)), moment, next(self._marks)) for i in range(begin, self._issued))


def open_backlog(settings: Settings, resident: Sequence[int]) -> Backlog:
    """The queries of a run.

    Parameters
    ----------
    settings : Settings
    resident : sequence of int
        Numbers of the images that may be asked for.
    """
    if settings.scenario is Scenario.SERVER:
        return Arrivals(list(_server_queries(settings, resident)), settings.max_batch, round(settings.max_delay_ms * 1e6))
    return Endless(settings, resident)


def _server_queries(settings: Settings, resident: Sequence[int]) -> Iterator[Query]:
    seed, qps = seeds(settings.seed), settings.qps or 0.0
    moments = poisson_arrivals(qps, int(settings.min_seconds * 1e9), settings.min_queries, seed["arrivals"])
    samples, marks = sample_numbers(resident, seed["samples"]), check_marks(settings.check_share, seed["checks"])
    for index, moment in enumerate(moments):
        yield Query(index, (next(samples),), moment, next(marks))

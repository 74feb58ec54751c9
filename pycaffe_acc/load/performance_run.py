"""Timed runs: one, a search for the highest rate, and the harness alone."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.backlog import open_backlog
from pycaffe_acc.load.clock import Clock
from pycaffe_acc.load.driver import Driver
from pycaffe_acc.load.engine import Engine
from pycaffe_acc.load.figures import BoundWatch, Figures
from pycaffe_acc.load.run_log import Difference, RunLog
from pycaffe_acc.load.scenario import MOST_QUERIES, Scenario, Settings
from pycaffe_acc.load.simulated_run import SimulatedDriver, TimedEngine

_HARNESS_QUERIES = 2000
#: runs of a search last for at least so many latency bounds,
_BOUNDS = 10
#: and for at most so many times what is asked for
_LONGER = 10


def performance_run(settings: Settings, engines: Sequence[Engine], resident: Sequence[int], difference: Difference | None = None,
                    clock: Clock | None = None, give_up: bool = False) -> Figures:
    """One timed run.

    Parameters
    ----------
    settings : Settings
    engines : sequence of Engine
        Workers. With `TimedEngine`s the run goes by simulated time.
    resident : sequence of int
        Images that may be asked for; the engines hold them.
    difference : callable, optional
        See `RunLog`.
    clock : Clock, optional
    give_up : bool
        End a Server run as soon as its latency bound cannot hold any more.

    Returns
    -------
    Figures
    """
    backlog, before = open_backlog(settings, resident), sum(e.rows for e in engines)
    watch = BoundWatch(settings, backlog.planned) if give_up and settings.bound_ms and backlog.planned else None
    timed = [e for e in engines if isinstance(e, TimedEngine)]
    if timed:
        log = SimulatedDriver(backlog, RunLog(difference), watch).run(timed)
    else:
        log = Driver(backlog, RunLog(difference), clock, watch).run(engines)
    return Figures(settings, log, sum(e.rows for e in engines) - before)


class Trial(NamedTuple):
    """One run of a search.

    Attributes
    ----------
    qps : float
    valid : bool
    tail_ms : float
        The percentile's latency; of the queries so far, when the run was given up.
    queries : int
    reasons : list of str
    """

    qps: float
    valid: bool
    tail_ms: float
    queries: int
    reasons: list[str]


class Search(NamedTuple):
    """What a search found.

    Attributes
    ----------
    figures : Figures
        Of the valid run with the highest rate; of the last run when none was valid.
    trials : list of Trial
        In order.
    tolerance : float
        The lowest invalid rate is at most this share above the highest valid one, unless the trials ran out.
    """

    figures: Figures
    trials: list[Trial]
    tolerance: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"tolerance": self.tolerance, "trials": [t._asdict() for t in self.trials]}


def check_search(settings: Settings) -> None:
    """Raise a `CheckError` unless runs last for ten times the latency bound: in a shorter one, what overloads the server is answered within the bound
    after all.
    """
    if settings.bound_ms is None or settings.min_seconds < _BOUNDS * 1e-3 * settings.bound_ms:
        raise CheckError(f"load: a run of {settings.min_seconds:g} s cannot show which rate keeps a bound of {settings.bound_ms} ms; to search for "
                         f"it, runs must last for at least {_BOUNDS} times the bound")


def find_qps(settings: Settings, run: Callable[[Settings], Figures], guess: float, tolerance: float = 0.05, most: int = 14) -> Search:
    """The highest rate whose run is valid: doubling or halving until it lies between two rates, then halving the interval (of the logarithm).

    Every trial is a whole run with the same seed, so the arrivals of two trials differ by their scale alone, and the result is a run that did hold
    the bound. Trials that cannot hold it any more end early. A failed query or a wrong answer ends the search: no rate would mend it. So does a rate
    so low that a trial would last ten times as long as is asked for.

    Parameters
    ----------
    settings : Settings
        Of Server, with a bound; its rate is not used.
    run : callable
        Makes a run.
    guess : float
        Queries per second to begin with.
    tolerance : float
    most : int
        Trials.

    Returns
    -------
    Search

    Raises
    ------
    CheckError
        See `check_search`.
    """
    check_search(settings)
    highest = MOST_QUERIES / max(settings.min_seconds, 1e-9)
    low = high = 0.0
    rate, best, trials = min(guess, highest), None, []
    for _ in range(most):
        figures = run(replace(settings, qps=rate))
        reasons = figures.reasons()
        trials.append(Trial(rate, not reasons, figures.tail_ms, figures.queries, reasons))
        if not reasons:
            low, best = rate, figures
        else:
            high = rate
        broken = figures.log.failures or figures.log.mismatches or figures.log.stopped == "interrupted"
        if broken or (low and high and high <= low * (1 + tolerance)) or low == highest:
            return Search(figures if broken or best is None else best, trials, tolerance)
        rate = min((low * high) ** 0.5 if low and high else low * 2 or high / 2, highest)
        if settings.min_queries / rate > _LONGER * settings.min_seconds:
            break
    return Search(figures if best is None else best, trials, tolerance)


def capacity(settings: Settings, engines: Sequence[Engine], resident: Sequence[int], clock: Clock | None = None, seconds: float = 0.5) -> float:
    """Images per second with full batches: where a search begins.

    Parameters
    ----------
    settings : Settings
    engines : sequence of Engine
    resident : sequence of int
    clock : Clock, optional
    seconds : float
    """
    burst = Settings(Scenario.OFFLINE, seconds, 1, settings.seed, 0.0, max_batch=settings.max_batch)
    return max(performance_run(burst, engines, resident, clock=clock).images_per_second, 1e-3)


class IdleEngine:
    """Answers at once, with nothing."""

    rows = 0

    def bind(self) -> None:
        """See `Engine.bind`."""

    def answer(self, samples: Sequence[int]) -> np.ndarray:
        """See `Engine.answer`."""
        return np.zeros((len(samples), 1), np.float32)


def harness_us() -> float:
    """Microseconds that the harness itself takes for a query: a stream against an engine that does nothing."""
    figures = performance_run(Settings(Scenario.SINGLE_STREAM, 0.0, _HARNESS_QUERIES, check_share=0.1), [IdleEngine()], [0],
                              lambda sample, scores: None)
    return figures.seconds * 1e6 / _HARNESS_QUERIES

"""What a performance run's times say, and whether they count."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pycaffe_acc.load.latency import histogram, nearest_rank, spread_ms
from pycaffe_acc.load.run_log import RunLog
from pycaffe_acc.load.scenario import MLPERF, Scenario, Settings

#: failures and differing answers that a document lists; their number is always given
LISTED = 100


@dataclass(frozen=True)
class Figures:
    """Figures of one run.

    Attributes
    ----------
    settings : Settings
    log : RunLog
    rows : int
        Images that the engines computed, filling included.
    """

    settings: Settings
    log: RunLog
    rows: int

    @property
    def queries(self) -> int:
        """Queries that were answered or failed."""
        return len(self.log.served) + len(self.log.failures)

    @property
    def seconds(self) -> float:
        """From the beginning to the last answer."""
        return self.log.wall_ns * 1e-9

    @property
    def images_per_second(self) -> float:
        """Answered images over `seconds`."""
        return self.log.images / self.seconds if self.log.wall_ns else 0.0

    def times_ns(self, what: str) -> np.ndarray:
        """Times of the answered queries, (n,) int64.

        Parameters
        ----------
        what : str
            "latency" (scheduled arrival to answer), "queue" (scheduled arrival until its batch is taken up) or "service" (the rest).
        """
        begin, end = {"latency": ("scheduled_ns", "finished_ns"), "queue": ("scheduled_ns", "started_ns"),
                      "service": ("started_ns", "finished_ns")}[what]
        return np.array([getattr(s, end) - getattr(s, begin) for s in self.log.served], np.int64)

    @property
    def tail_ms(self) -> float:
        """The percentile of the latency that counts; infinite when nothing was answered."""
        times = np.sort(self.times_ns("latency"))
        return nearest_rank(times, self.settings.percentile) * 1e-6 if len(times) else math.inf

    def metric(self) -> dict[str, Any]:
        """Name, value and unit of the scenario's one figure."""
        scenario = self.settings.scenario
        if scenario.stream:
            return {"name": f"p{self.settings.percentile:g} latency", "value": self.tail_ms, "unit": "ms"}
        if scenario is Scenario.SERVER:
            name = "queries per second" + (", without a bound" if self.settings.bound_ms is None else " within the bound")
            return {"name": name, "value": self.settings.qps, "unit": "1/s"}
        return {"name": "images per second", "value": self.images_per_second, "unit": "1/s"}

    def reasons(self) -> list[str]:
        """Why the run does not count; empty when it does."""
        s, log, found = self.settings, self.log, []
        if log.stopped:
            found.append(f"the run ended early: {log.stopped}")
        if log.failures:
            found.append(f"{len(log.failures)} queries failed, the first (query {log.failures[0].number}) with {log.failures[0].reason}")
        if log.mismatches:
            found.append(f"{len(log.mismatches)} of {log.checked} compared answers differ from the accuracy run's: {log.mismatches[0]}")
        if self.queries < s.min_queries:
            found.append(f"there were {self.queries} queries; at least {s.min_queries} are asked for")
        took = max(log.ended_ns, log.wall_ns) * 1e-9
        if took < s.min_seconds:
            found.append(f"the run took {took:.3f} s; at least {s.min_seconds:g} s are asked for")
        if s.bound_ms is not None and self.tail_ms > s.bound_ms:
            found.append(f"p{s.percentile:g} of the latency is {self.tail_ms:.3f} ms; the bound is {s.bound_ms:g} ms")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        s, log, offline = self.settings, self.log, self.settings.scenario is Scenario.OFFLINE
        batches = sum(log.batches.values())
        latency = None if offline else self.times_ns("latency")
        return {
            "metric": self.metric(), "queries": self.queries, "images": log.images, "seconds": self.seconds,
            "images_per_second": self.images_per_second, "min_seconds": s.min_seconds, "min_queries": s.min_queries, "qps": s.qps,
            "latency_bound_ms": s.bound_ms, "percentile": s.percentile,
            "percentile_rule": "nearest rank, of all answered queries, without MLPerf's early-stopping penalty",
            "latency_ms": None if latency is None else spread_ms(latency, s.percentile),
            "queue_ms": None if offline else spread_ms(self.times_ns("queue"), s.percentile),
            "service_ms": spread_ms(self.times_ns("service"), s.percentile),
            "batches": {str(k): v for k, v in sorted(log.batches.items())}, "mean_batch": log.images / batches if batches else None,
            "filling_share": 1 - log.images / self.rows if self.rows else None,
            "checked": log.checked, "mismatches": len(log.mismatches), "mismatch_list": log.mismatches[:LISTED],
            "failures": len(log.failures), "failure_list": [{"query": f.number, "images": list(f.samples), "reason": f.reason}
                                                            for f in log.failures[:LISTED]],
            "stopped": log.stopped, "histogram": histogram(self.times_ns("service") if latency is None else latency),
            "histogram_of": "service" if offline else "latency",
            "mlperf_asks": {"seconds": MLPERF[s.scenario].seconds, "queries": MLPERF[s.scenario].queries,
                            "percentile": MLPERF[s.scenario].percentile},
        }


def allowed_over(queries: int, percent: float) -> int:
    """How many of so many latencies may exceed a bound on the nearest-rank percentile."""
    return queries - math.ceil(round(percent * queries / 100, 9))


class BoundWatch:
    """Ends a Server run whose bound cannot hold any more, whatever the queries to come do.

    Parameters
    ----------
    settings : Settings
        With a bound.
    planned : int
        Queries of the run.
    """

    def __init__(self, settings: Settings, planned: int):
        self._bound_ns = (settings.bound_ms or math.inf) * 1e6
        self._left = allowed_over(planned, settings.percentile)
        self._seen = 0

    def __call__(self, log: RunLog) -> str:
        """A sentence once too many queries were late, else nothing."""
        fresh: Sequence[Any] = log.served[self._seen:]
        self._seen = len(log.served)
        self._left -= sum(s.finished_ns - s.scheduled_ns > self._bound_ns for s in fresh)
        return "more queries exceeded the latency bound than its percentile allows" if self._left < 0 else ""

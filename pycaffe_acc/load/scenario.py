"""The four scenarios, and what a run of one is asked to do."""
from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pycaffe_acc.errors import CheckError

#: stands above everything that a load run prints
HEADING = "MLPerf-style, not MLPerf"
#: queries of one run: their times are held in memory
MOST_QUERIES = 5_000_000


class Scenario(str, Enum):
    """How queries arrive.

    SingleStream: one image, when the query before it was answered. MultiStream: several images, likewise. Server: one image at moments of a Poisson
    process, whether or not those before it were answered. Offline: all images at once.
    """

    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"
    SERVER = "Server"
    OFFLINE = "Offline"

    @property
    def stream(self) -> bool:
        """Whether a query waits for the answer to the one before it."""
        return self in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)


class MlperfRule(NamedTuple):
    """What MLPerf Inference asks of a run, for comparison with what was done here (its inference rules of 2026).

    Attributes
    ----------
    seconds : int
        Minimum duration.
    percentile : float or None
        Of the latency that counts; None where throughput does.
    queries : int
        Behind that percentile at 99 % confidence without early stopping; for Offline, images.
    """

    seconds: int
    percentile: float | None
    queries: int


MLPERF = {Scenario.SINGLE_STREAM: MlperfRule(600, 90.0, 24576), Scenario.MULTI_STREAM: MlperfRule(600, 99.0, 270336),
          Scenario.SERVER: MlperfRule(600, 99.0, 270336), Scenario.OFFLINE: MlperfRule(600, None, 24576)}


@dataclass(frozen=True)
class Settings:
    """A performance run.

    Attributes
    ----------
    scenario : Scenario
    min_seconds : float
        Queries arrive for at least so long,
    min_queries : int
        and there are at least so many of them (Offline: images).
    seed : int
        All three seeds (samples, arrivals, checks) come from it.
    check_share : float
        Share of the queries whose answers are compared with the accuracy run's, 0 to 1.
    samples_per_query : int
        Images in a query of MultiStream; 1 in every other scenario.
    qps : float or None
        Queries per second of Server.
    bound_ms : float or None
        What the latency's percentile must not exceed.
    percentile : float
        Of the latency that counts, above 0 and below 100.
    max_batch : int
        Most images in one forward.
    max_delay_ms : float
        How long Server holds a query back, counted from its arrival, while its batch is not full.

    Raises
    ------
    CheckError
    """

    scenario: Scenario
    min_seconds: float = 10.0
    min_queries: int = 100
    seed: int = 0
    check_share: float = 0.1
    samples_per_query: int = 1
    qps: float | None = None
    bound_ms: float | None = None
    percentile: float = 99.0
    max_batch: int = 1
    max_delay_ms: float = 0.0

    def __post_init__(self) -> None:
        server = self.scenario is Scenario.SERVER
        self._number("min_seconds", self.min_seconds, 0.0, math.inf)
        self._number("check_share", self.check_share, 0.0, 1.0)
        self._number("max_delay_ms", self.max_delay_ms, 0.0, math.inf)
        if self.min_queries < 1 or self.samples_per_query < 1 or self.max_batch < 1 or self.seed < 0:
            raise CheckError(f"load: min_queries {self.min_queries}, samples_per_query {self.samples_per_query} and max_batch {self.max_batch} must "
                             f"be at least 1, and the seed {self.seed} at least 0")
        if not 0 < self.percentile < 100:
            raise CheckError(f"load: the percentile is {self.percentile:g}; it must lie between 0 and 100")
        if self.bound_ms is not None and not (math.isfinite(self.bound_ms) and self.bound_ms > 0):
            raise CheckError(f"load: the latency bound is {self.bound_ms:g} ms; it must be above 0")
        if self.samples_per_query > 1 and self.scenario is not Scenario.MULTI_STREAM:
            raise CheckError(f"load: {self.samples_per_query} images in a query belong to MultiStream; a query of {self.scenario.value} is one image")
        if self.max_delay_ms and not server:
            raise CheckError(f"load: a query is held back for its batch in Server only; {self.scenario.value} has no use for max_delay_ms")
        if self.qps is not None and not (math.isfinite(self.qps) and self.qps > 0):
            raise CheckError(f"load: the rate is {self.qps:g} queries per second; it must be above 0")
        if server != (self.qps is not None):
            raise CheckError(f"load: {self.scenario.value} {'needs' if server else 'has no use for'} a rate in queries per second (qps)")
        if self.qps is not None and max(self.qps * self.min_seconds, self.min_queries) > MOST_QUERIES:
            raise CheckError(f"load: {self.qps:g} queries per second for {self.min_seconds:g} s, at least {self.min_queries}, are more than the "
                             f"{MOST_QUERIES} that one run may have; ask for fewer or a shorter time")

    def _number(self, name: str, value: float, least: float, most: float) -> None:
        if not (math.isfinite(value) and least <= value <= most):
            raise CheckError(f"load: {name} is {value:g}; it must be a number from {least:g}" + (f" to {most:g}" if math.isfinite(most) else " on"))

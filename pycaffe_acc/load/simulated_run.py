"""Runs in the time of a virtual card: what happens when is counted, not waited for."""
from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cnrt.card_model import card_model
from cnrt.cost import Cost, Launch
from cnrt.simulation import Feed, simulate
from pycaffe_acc.card import CHANNELS
from pycaffe_acc.card_costs import net_costs, net_feed
from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.backlog import Backlog, Wait
from pycaffe_acc.load.engine import Engine
from pycaffe_acc.load.run_log import RunLog
from pycaffe_acc.net import Net
from pycaffe_acc.runners.offline_engine import OfflineEngine
from pycaffe_acc.segments import Segments


def service_times_ns(nets: Mapping[int, Net], kind: str, instances: int) -> dict[int, int]:
    """How long a card takes for a batch of each size: conversion on its host, copies, the function, while the other instances are busy, too.

    Parameters
    ----------
    nets : dict of int to Net
        By batch size; in the precision that the card computes in.
    kind : str
        Of the card.
    instances : int
        Instance i has its memory on channel i modulo their number.

    Returns
    -------
    dict of int to int

    Raises
    ------
    CheckError
        When layers would run on the host, whose time the model of the card does not know.
    CnrtError
        For more instances than the card has cores, or a precision in which it does not compute.
    """
    times = {}
    for size, net in nets.items():
        outside = [(name, reason) for s in Segments(net).all if not s.symbol for name, reason in s.reasons.items()
                   if net.layer_dict[name].type != "Input"]
        if outside:
            raise CheckError(f"net '{net.name}': its load on {kind} cannot be simulated, since {len(outside)} of its layers would run on the host; "
                             f"the first is '{outside[0][0]}': {outside[0][1]}. Host time (--time host) can be had")
        times[size] = _batch_ns(kind, instances, net_costs(net), net_feed(net), size, 1)
    return times


def offline_times_ns(engine: OfflineEngine, kind: str, instances: int, model_parallel: int) -> dict[int, int]:
    """The same for an offline model's one batch.

    Parameters
    ----------
    engine : OfflineEngine
        Without data parallelism.
    kind : str
    instances : int
    model_parallel : int
        Cores of a function.

    Raises
    ------
    CnrtError
        As `service_times_ns`.
    """
    batch, values, results = engine.shape[0], math.prod(engine.shape[1:]), math.prod(engine.output_shape[1:])
    feed = Feed(4 * values, 2 * values, 4 * results, 2 * results)
    return {batch: _batch_ns(kind, instances, engine.costs(), feed, batch, model_parallel)}


def _batch_ns(kind: str, instances: int, costs: Sequence[Cost], feed: Feed, batch: int, model_parallel: int) -> int:
    channels = [i % CHANNELS for i in range(instances)]
    found = simulate(costs, card_model(kind), Launch(1, model_parallel), instances, batch, feed=feed, channels=channels)
    return round(1e9 * float(np.mean(found.latencies)))


class TimedEngine:
    """An engine whose batches take a card's time. Answers are computed here, for the queries that are compared.

    Parameters
    ----------
    engine : Engine
    times_ns : dict of int to int
        By batch size.
    """

    def __init__(self, engine: Engine, times_ns: Mapping[int, int]):
        self._engine, self._times = engine, dict(sorted(times_ns.items()))
        self.rows = 0

    def bind(self) -> None:
        """See `Engine.bind`."""
        self._engine.bind()

    def answer(self, samples: Sequence[int]) -> np.ndarray:
        """See `Engine.answer`."""
        return self._engine.answer(samples)

    def service_ns(self, images: int) -> int:
        """The card's time for so many images, in batches as the engine cuts them; counts their rows."""
        total = 0
        while images > 0:
            size = next((n for n in self._times if n >= images), max(self._times))
            total += self._times[size]
            self.rows += size
            images -= size
        return total


class SimulatedDriver:
    """A run whose clock is moved from event to event: the same every time, and as quick as its answers can be computed.

    Parameters
    ----------
    backlog : Backlog
    log : RunLog
    watch : callable, optional
        See `driver.Watch`.
    """

    def __init__(self, backlog: Backlog, log: RunLog, watch: Callable[[RunLog], str] | None = None):
        self._backlog, self._log, self._watch = backlog, log, watch

    def run(self, engines: Sequence[TimedEngine]) -> RunLog:
        """Answer everything; of several free engines the first takes a batch.

        Parameters
        ----------
        engines : sequence of TimedEngine

        Returns
        -------
        RunLog
        """
        free = [(0, i) for i in range(len(engines))]
        for engine in engines:
            engine.bind()
        try:
            while free and not self._log.stopped:
                now, i = heapq.heappop(free)
                step = self._backlog.take(now)
                if step is None:
                    self._log.ended_ns = max(self._log.ended_ns, now)
                elif isinstance(step, Wait):
                    heapq.heappush(free, (step.until_ns, i))
                else:
                    heapq.heappush(free, (self._serve(engines[i], step, now), i))
        except KeyboardInterrupt:
            self._log.stopped = "interrupted"
        return self._log

    def _serve(self, engine: TimedEngine, batch: tuple, now: int) -> int:
        samples = [s for q in batch for s in q.samples]
        finished = now + engine.service_ns(len(samples))
        if finished <= now:
            raise CheckError("load: a batch took no simulated time; the run would never end")
        try:
            scores = engine.answer(samples) if self._log.compares and any(q.checked for q in batch) else None
        except Exception as e:
            self._log.failed(batch, finished, f"{type(e).__name__}: {e}")
        else:
            self._log.answered(batch, now, finished, scores)
        if self._watch is not None and not self._log.stopped:
            self._log.stopped = self._watch(self._log)
        return finished

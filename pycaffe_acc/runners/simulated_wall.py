"""How long a runner's whole run would take on the card and the host of its spec."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

from cnrt.simulation import Feed, simulate
from pycaffe_acc.runners.engine import Engine


def simulated_wall_us(engines: Sequence[Engine], images: int, fifo_size: int | None = None, raw: bool = False) -> float | None:
    """Simulated time from the first picture read to the last result.

    Parameters
    ----------
    engines : sequence of Engine
        One of each pipeline.
    images : int
    fifo_size : int, optional
        Pairs of buffers of a pipeline; without it one thread does all.
    raw : bool
        Whether pictures go to the card as bytes.

    Returns
    -------
    float or None
        Microseconds; None for engines whose times are measured.
    """
    queues = [engine.queues()[0] for engine in engines]
    clock, work = queues[0].device.clock, engines[0].work()
    if clock is None or work is None:
        return None
    batch, *rest = engines[0].shape
    values, results = float(prod(rest)), float(prod(engines[0].output_shape[1:]))
    feed = Feed(values if raw else 4 * values, values if raw else 2 * values, 4 * results, 2 * results, pixels=float(prod(rest[1:])),
                pipelined=fifo_size is not None, online=work.launch.whole, fifo=fifo_size or 1)
    rounds = -(-images // (batch * len(engines)))
    found = simulate(work.costs, work.on(clock.card), work.launch, len(engines), batch, rounds, feed, [max(0, q.channel) for q in queues])
    return 1e6 * found.seconds * rounds * batch * len(engines) / found.images

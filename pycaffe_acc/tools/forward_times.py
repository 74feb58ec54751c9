"""Times of forwards: of one net, or of several at once."""
from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from pycaffe_acc.evaluation.clock import merged
from pycaffe_acc.evaluation.intervals import Interval, union_ns
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.evaluation.prompt_switches import prompt_switches


class ForwardTimes(NamedTuple):
    """What was found.

    Attributes
    ----------
    milliseconds : list of float
        Of each forward: wall time; on a card with a clock of its own the time between the notifiers around its functions.
    forwards_per_second : float
        Of all nets together.
    simulated : bool
        Whether the times come from a model of a device.
    """

    milliseconds: list[float]
    forwards_per_second: float
    simulated: bool


def time_together(nets: Sequence[Driven], iterations: int) -> ForwardTimes:
    """Run every net `iterations` times, all of them at once, each in a thread of its own; one net in the calling thread. One more forward of each
    comes first and is not counted.

    Parameters
    ----------
    nets : sequence of Net or SlicedNet
    iterations : int

    Raises
    ------
    Exception
        What a forward raised.
    """
    for net in nets:
        net.forward()
    walls: list[Interval] = []
    busy: list[list[Interval]] = []
    simulated: list[bool] = []
    errors: list[BaseException] = []

    def repeat(net: Driven) -> None:
        try:
            for _ in range(iterations):
                net.notifiers = []
                start = time.perf_counter_ns()
                net.forward()
                walls.append((start, time.perf_counter_ns()))
                pairs, net.notifiers = net.notifiers, None
                simulated.append(any(a.simulated for a, _ in pairs))
                busy.append(merged([(a.time_ns, b.time_ns) for a, b in pairs if a.time_ns is not None and b.time_ns is not None]))
        except BaseException as e:  # raised again by the caller
            errors.append(e)

    with prompt_switches():
        if len(nets) == 1:
            repeat(nets[0])
        else:
            threads = [threading.Thread(target=partial(repeat, net)) for net in nets]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    if errors:
        raise errors[0]
    if all(simulated):
        union = union_ns(interval for intervals in busy for interval in intervals)
        return ForwardTimes([1e-6 * sum(end - start for start, end in intervals) for intervals in busy], 1e9 * len(busy) / union, True)
    span = max(end for _, end in walls) - min(start for start, _ in walls)
    return ForwardTimes([1e-6 * (end - start) for start, end in walls], 1e9 * len(walls) / span, False)

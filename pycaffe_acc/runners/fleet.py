"""Many pipelines beside each other, started at one moment."""
from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from pycaffe_acc.runners.batches import Tell
from pycaffe_acc.runners.pipeline import Job, Pipeline
from pycaffe_acc.runners.tally import Tally


def run_fleet(jobs: Sequence[Job], fifo_size: int, tell: Tell, stopped: list[BaseException] | None = None) -> tuple[list[Tally], float]:
    """Run jobs at the same time.

    Parameters
    ----------
    jobs : sequence of Job
        With an engine each.
    fifo_size : int
    tell : callable
        Gets lines.
    stopped : list, optional
        Gets what ended the run early (Ctrl-C, or what a pipeline raised) instead of the caller; the tallies are then those until that moment.

    Returns
    -------
    tallies : list of Tally
    wall_us : float
        From the common start to the end of the last pipeline.

    Raises
    ------
    Exception
        What a pipeline raised; all of them have ended then.
    """
    gate = threading.Event()
    pipelines = [Pipeline(job, fifo_size, gate, i) for i, job in enumerate(jobs)]
    start = time.perf_counter_ns()
    try:
        for pipeline in pipelines:
            pipeline.start()
        tell("Notify to start ...")
        start = time.perf_counter_ns()
        gate.set()
        for pipeline in pipelines:
            pipeline.join()
    except BaseException as e:
        for pipeline in pipelines:
            pipeline.stop()
        for pipeline in pipelines:
            _end(pipeline)
        if stopped is None:
            raise
        stopped.append(e)
    return [p.tally for p in pipelines], (time.perf_counter_ns() - start) / 1e3


def _end(pipeline: Pipeline) -> None:
    """Wait for a stopped pipeline; its own failure is that of another one, or later than it."""
    try:
        pipeline.join()
    except Exception:
        pass

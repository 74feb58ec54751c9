"""Images through an engine on three threads: one reads and copies in, one computes, one copies out and judges."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnrt import trace
from pycaffe_acc.runners.batches import Batch, Tell, batches
from pycaffe_acc.runners.engine import Engine
from pycaffe_acc.runners.fifo import Fifo, FifoClosedError
from pycaffe_acc.runners.figures import Figure
from pycaffe_acc.runners.number import number
from pycaffe_acc.runners.pixels import Preparation
from pycaffe_acc.runners.sink import Sink
from pycaffe_acc.runners.tally import Tally


@dataclass(frozen=True)
class Job:
    """What a pipeline has to do.

    Attributes
    ----------
    figures : sequence of Figure
    engine : Engine
    prepare : Preparation
    sink : Sink
    tell : callable
        Gets lines; called from several threads.
    """

    figures: Sequence[Figure]
    engine: Engine
    prepare: Preparation
    sink: Sink
    tell: Tell


class Pipeline:
    """Three threads with queues between them.

    Parameters
    ----------
    job : Job
    fifo_size : int
        Pairs of device buffers.
    gate : threading.Event
        What the first thread waits for.
    number : int
        In the names of the threads.
    """

    def __init__(self, job: Job, fifo_size: int, gate: threading.Event, number: int = 0):
        self.tally = Tally(job.sink.hits)
        self._job, self._gate = job, gate
        self.failure: BaseException | None = None
        engine = job.engine
        engine.bind()
        self._free_inputs: Fifo[Any] = Fifo(*(engine.input_buffer() for _ in range(fifo_size)))
        self._free_outputs: Fifo[Any] = Fifo(*(engine.output_buffer() for _ in range(fifo_size)))
        self._inputs: Fifo[tuple[Any, Batch] | None] = Fifo()
        self._outputs: Fifo[tuple[Any, Batch] | None] = Fifo()
        steps = {"provide": self._provide, "run": self._compute, "judge": self._judge}
        self._threads = [threading.Thread(target=self._guarded, args=(work,), name=f"pipeline {number} {name}", daemon=True)
                         for name, work in steps.items()]

    def start(self) -> None:
        """Start the threads; the first of them waits for the gate."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the end.

        Raises
        ------
        Exception
            What one of the threads raised.
        """
        for thread in self._threads:
            while thread.is_alive():
                thread.join(1.0)  # in steps, so that Ctrl-C gets through on every system
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Let the threads end where they are."""
        for fifo in (self._free_inputs, self._free_outputs, self._inputs, self._outputs):
            fifo.close()
        self._gate.set()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            self._job.engine.bind()
            work()
        except FifoClosedError:
            pass
        except BaseException as e:  # raised again by join
            self.failure = self.failure or e
            self.stop()

    # ---- the three threads ------------------------------------------------------------------------------------------------------------------

    def _provide(self) -> None:
        job = self._job
        job.tell("Waiting ...")
        self._gate.wait()
        start = time.perf_counter_ns()
        for batch in batches(job.figures, job.engine.shape[0], job.prepare, job.tell):
            job.tell(f"prepare input data time: {number((time.perf_counter_ns() - start) / 1e3)} us")
            buffer = self._free_inputs.pop()
            copy_in(job, batch, buffer)
            self._inputs.push((buffer, batch))
            start = time.perf_counter_ns()
        self._inputs.push(None)

    def _compute(self) -> None:
        while True:
            work = self._inputs.pop()
            if work is None:
                self._outputs.push(None)
                return
            source, batch = work
            target = self._free_outputs.pop()
            compute(self._job, self.tally, source, target)
            self._outputs.push((target, batch))
            self._free_inputs.push(source)

    def _judge(self) -> None:
        while True:
            work = self._outputs.pop()
            if work is None:
                return
            results, start = copy_out(self._job, work[0])
            self._free_outputs.push(work[0])
            judge(self._job, results, work[1], start)


def run_serially(job: Job) -> Tally:
    """The same steps one after the other, on the calling thread.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Tally
    """
    tally, engine = Tally(job.sink.hits), job.engine
    source, target = engine.input_buffer(), engine.output_buffer()
    start = time.perf_counter_ns()
    for batch in batches(job.figures, engine.shape[0], job.prepare, job.tell):
        job.tell(f"prepare input data time: {number((time.perf_counter_ns() - start) / 1e3)} us")
        copy_in(job, batch, source)
        compute(job, tally, source, target)
        results, judged = copy_out(job, target)
        judge(job, results, batch, judged)
        start = time.perf_counter_ns()
    return tally


def copy_in(job: Job, batch: Batch, buffer: Any) -> None:
    """Copy a batch to the device, with its line."""
    start = time.perf_counter_ns()
    with trace.host_step("copy in"):
        job.engine.copy_in(batch.values, buffer)
    job.tell(f"copyin time: {number((time.perf_counter_ns() - start) / 1e3)} us")


def compute(job: Job, tally: Tally, source: Any, target: Any) -> None:
    """Run a batch, with its line."""
    start = time.perf_counter_ns()
    with trace.host_step("forward"):
        busy = job.engine.run(source, target)
    took = (time.perf_counter_ns() - start) / 1e3
    tally.busy += busy
    if job.engine.times_hardware:
        took = sum(end - begin for begin, end in busy) / 1e3
    job.tell(f" execution time: {number(took)}")


def copy_out(job: Job, buffer: Any) -> tuple[Any, int]:
    """Copy results to the host, with a line; and when that was done."""
    start = time.perf_counter_ns()
    with trace.host_step("copy out"):
        results = job.engine.copy_out(buffer)
    end = time.perf_counter_ns()
    job.tell(f"copyout time: {number((end - start) / 1e3)} us")
    return results, end


def judge(job: Job, results: Any, batch: Batch, start: int) -> None:
    """Hand results to the sink, with a line."""
    with trace.host_step("judge"):
        job.sink.take(results, batch)
    job.tell(f"post process time: {number((time.perf_counter_ns() - start) / 1e3)} us")

"""A net with three threads: one gathers prepared images into batches, one computes, one judges. Bounded queues of buffers lie between them."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cnrt import trace
from pycaffe_acc.evaluation.clock import Clock, merged
from pycaffe_acc.evaluation.provider import Provider
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.runners.fifo import Fifo, FifoClosedError
from pycaffe_acc.sliced_net import SlicedNet

#: what can be evaluated
Evaluated = Net | OfflineNet
#: what a pipeline drives
Driven = Evaluated | SlicedNet


class Batch(NamedTuple):
    """An input buffer or an output buffer with the numbers of the images in its first rows."""

    values: np.ndarray
    indices: list[int]


@dataclass(frozen=True)
class Task:
    """What all pipelines of a run have in common.

    Attributes
    ----------
    source, output : str
        Input blob and the blob with the scores.
    provider : Provider
    judge : callable
        Gets scores, (n, …) float32, and the numbers of the images; called by several threads.
    fifo_size : int
        Buffers for batches, and for results, of each pipeline.
    turn : threading.Lock
        Pipelines fill one batch after the other: the first starts early, and only the last batch of all is not full.
    """

    source: str
    output: str
    provider: Provider
    judge: Callable[[np.ndarray, list[int]], None]
    fifo_size: int
    turn: threading.Lock


class Pipeline:
    """One net's threads and queues.

    Parameters
    ----------
    number : int
        In the names of the threads.
    net : Net, OfflineNet or SlicedNet
    task : Task
    fail : callable
        Called with what a thread raised.

    Attributes
    ----------
    clock : Clock
    """

    def __init__(self, number: int, net: Driven, task: Task, fail: Callable[[BaseException], None]):
        self.clock = Clock()
        self._net, self._task, self._fail = net, task, fail
        shape = net.blobs[task.source].shape
        self._free_inputs: Fifo[np.ndarray] = Fifo(*(np.zeros(shape, np.float32) for _ in range(task.fifo_size)))
        self._free_outputs: Fifo[list[np.ndarray]] = Fifo(*([] for _ in range(task.fifo_size)))
        self._inputs: Fifo[Batch | None] = Fifo()
        self._outputs: Fifo[tuple[list[np.ndarray], list[int]] | None] = Fifo()
        steps = {"provide": self._provide, "run": self._run, "judge": self._judge}
        self._threads = [threading.Thread(target=self._guarded, args=(work,), name=f"pipeline {number} {name}", daemon=True)
                         for name, work in steps.items()]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the threads' end."""
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.5)  # in steps, so that Ctrl-C gets through on every system

    def stop(self) -> None:
        """Let the threads end: a forward that runs is finished, what waits is dropped."""
        for fifo in (self._free_inputs, self._free_outputs, self._inputs, self._outputs):
            fifo.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except FifoClosedError:
            pass
        except BaseException as e:  # told to the thread that waits for the end
            self._fail(e)

    # ---- the three threads ------------------------------------------------------------------------------------------------------------------

    def _provide(self) -> None:
        while True:
            buffer = self._free_inputs.pop()
            with self._task.turn:
                indices = self._fill(buffer)
            if indices:
                self._inputs.push(Batch(buffer, indices))
            if len(indices) < len(buffer):
                self._inputs.push(None)
                return

    def _fill(self, buffer: np.ndarray) -> list[int]:
        """Images in the buffer's rows, fewer than there are only at the end; the rest is copies of the last one."""
        indices: list[int] = []
        while len(indices) < len(buffer):
            part = self._task.provider.take(len(buffer) - len(indices))
            if part is None:
                break
            with trace.host_step("gather"):
                for row, values in enumerate(part.values, len(indices)):
                    buffer[row] = values
            indices += part.indices
            self.clock.decode_ns += part.decode_ns
            self.clock.preprocess_ns += part.preprocess_ns
        if indices:
            buffer[len(indices):] = buffer[len(indices) - 1]
        return indices

    def _run(self) -> None:
        clock = self.clock
        while True:
            asked = time.perf_counter_ns()
            batch = self._inputs.pop()
            clock.wait_ns += time.perf_counter_ns() - asked
            if batch is None:
                self._outputs.push(None)
                return
            asked = time.perf_counter_ns()
            target = self._free_outputs.pop()
            start = time.perf_counter_ns()
            clock.post_ns += start - asked
            self._run_batch(batch, target, start)
            self._free_inputs.push(batch.values)
            self._outputs.push((target, batch.indices))

    def _run_batch(self, batch: Batch, target: list[np.ndarray], start: int) -> None:
        net, clock = self._net, self.clock
        with trace.host_step("copy in"):
            net.blobs[self._task.source].data[...] = batch.values
        ready = time.perf_counter_ns()
        net.notifiers = []
        with trace.host_step("forward"):
            net.forward()
        done = time.perf_counter_ns()
        pairs, net.notifiers = net.notifiers, None
        intervals = [(a.time_ns, b.time_ns) for a, b in pairs if a.time_ns is not None and b.time_ns is not None]
        clock.simulated |= any(a.simulated for a, _ in pairs)
        clock.busy.extend(merged(intervals) or [(ready, done)])  # with PYCAFFE_ACC_KERNELS=numpy the host computes, and no function is launched
        with trace.host_step("copy out"):
            scores = net.blobs[self._task.output].data
            if not target or target[0].shape != scores.shape:
                target[:] = [np.empty(scores.shape, np.float32)]
            target[0][...] = scores
        out = time.perf_counter_ns()
        clock.batches.append((start, out))
        clock.copy_in_ns += ready - start
        clock.compute_ns += done - ready
        clock.copy_out_ns += out - done

    def _judge(self) -> None:
        while True:
            work = self._outputs.pop()
            if work is None:
                return
            start = time.perf_counter_ns()
            with trace.host_step("judge"):
                self._task.judge(work[0][0][:len(work[1])], work[1])
            self._free_outputs.push(work[0])
            self.clock.judge_ns += time.perf_counter_ns() - start

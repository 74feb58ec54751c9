"""Images decoded and prepared on threads, ahead of the net."""
from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.prepare import Prepare, prepared


class Prepared(NamedTuple):
    """A run of consecutive images.

    Attributes
    ----------
    values : (n, C, H, W) float32
    labels : (n,) int64
    decode_ns, preprocess_ns : int
        What a worker thread spent on them.
    """

    values: np.ndarray
    labels: np.ndarray
    decode_ns: int
    preprocess_ns: int


class Feeder:
    """Prepares images in order, several tasks at once, never more than `ahead` tasks in front of the consumer.

    Parameters
    ----------
    dataset : Dataset
    prepare : callable
        (H, W, C) uint8 → (C, H, W) float32; called from several threads.
    shape : tuple of int
        (C, H, W) that `prepare` must give.
    count : int
        How many images, from the first.
    batch : int
        A task never reaches over the end of a batch of this size.
    workers : int
        Threads.
    chunk : int
        Most images in one task.
    """

    def __init__(self, dataset: Dataset, prepare: Prepare, shape: tuple[int, int, int], count: int, batch: int, workers: int, chunk: int = 8):
        self._dataset, self._prepare, self._shape = dataset, prepare, shape
        self._ranges = [(at, min(at + chunk, start + batch, count)) for start in range(0, count, batch)
                        for at in range(start, min(start + batch, count), chunk)]
        self._workers = workers
        # enough for two batches, so that the next one is ready when the net returns, and for every worker
        self.ahead = max(2 * -(-batch // chunk), 2 * workers)

    def __iter__(self) -> Iterator[Prepared]:
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="prepare")
        pending: deque[Future[Prepared]] = deque()
        try:
            for begin, end in self._ranges:
                if len(pending) >= self.ahead:
                    yield pending.popleft().result()
                pending.append(pool.submit(self._task, begin, end))
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _task(self, begin: int, end: int) -> Prepared:
        channels = self._shape[0]
        values = np.empty((end - begin, *self._shape), np.float32)
        decode = preprocess = 0
        for row, index in enumerate(range(begin, end)):
            start = time.perf_counter_ns()
            pixels = self._dataset.read(index, channels)
            middle = time.perf_counter_ns()
            values[row] = prepared(self._prepare, pixels, self._shape, self._dataset, index)
            decode += middle - start
            preprocess += time.perf_counter_ns() - middle
        return Prepared(values, self._dataset.labels[begin:end], decode, preprocess)

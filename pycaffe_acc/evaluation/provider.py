"""Images decoded and prepared on threads, ahead of the nets, in the order in which they get ready.

So one that takes long holds up nobody but the thread that works on it; one that cannot be
decoded is noted, and the rest goes on.
"""
from __future__ import annotations

import threading
import time
from typing import NamedTuple

import numpy as np

from cnrt import trace
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.prepare import Prepare, prepared
from pycaffe_acc.runners.fifo import Fifo, FifoClosedError

#: a run of images goes on its way when this much time was spent on it, however short it is
_PATIENCE_NS = 2_000_000


class Prepared(NamedTuple):
    """A run of images.

    Attributes
    ----------
    indices : list of int
        Their numbers in the data set.
    values : list of (C, H, W) float32
    decode_ns, preprocess_ns : int
        What a worker thread spent on them.
    """

    indices: list[int]
    values: list[np.ndarray]
    decode_ns: int
    preprocess_ns: int


class Failure(NamedTuple):
    """An image that could not be used.

    Attributes
    ----------
    number : int
        Its place in the data set.
    image : str
        What it is called.
    error : Exception
    """

    number: int
    image: str
    error: Exception

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        known = isinstance(self.error, (RuntimeError, OSError))
        return {"number": self.number, "image": self.image, "reason": str(self.error) if known else f"{type(self.error).__name__}: {self.error}"}


class Provider:
    """Prepares images on threads, never more than `ahead` runs in front of the consumers. Its end is the end of its context.

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
        Images that a consumer wants at once; says how far ahead to work.
    workers : int
        Threads.
    chunk : int
        Most images in one run.

    Attributes
    ----------
    failures : list of Failure
        Grows while it works.
    """

    def __init__(self, dataset: Dataset, prepare: Prepare, shape: tuple[int, int, int], count: int, batch: int, workers: int, chunk: int = 8):
        self._dataset, self._prepare, self._shape, self._chunk, self._count = dataset, prepare, shape, min(chunk, batch), count
        # enough for two batches, so that the next one is ready when a net returns, and for every worker
        self.ahead = max(2 * -(-batch // self._chunk), 2 * workers)
        self.failures: list[Failure] = []
        self._ready: Fifo[Prepared | None] = Fifo(capacity=self.ahead)
        self._left: Prepared | None = None
        self._lock = threading.Lock()
        self._next = 0
        self._working = workers
        self._threads = [threading.Thread(target=self._work, name=f"decode {i}", daemon=True) for i in range(workers)]

    def __enter__(self) -> Provider:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Let the threads end when the image in hand is done; nobody waits any more."""
        self._ready.close()

    def take(self, most: int) -> Prepared | None:
        """What is ready, waiting for something. One consumer at a time.

        Parameters
        ----------
        most : int
            Most images.

        Returns
        -------
        Prepared or None
            None when there are no more images.

        Raises
        ------
        FifoClosedError
            After `close`.
        """
        part, self._left = self._left or self._ready.pop(), None
        if part is None:
            self._ready.push(None, forced=True)  # for the next one who asks
        elif len(part.values) > most:
            # the times go with the first images
            self._left = Prepared(part.indices[most:], part.values[most:], 0, 0)
            part = part._replace(indices=part.indices[:most], values=part.values[:most])
        return part

    # ---- the threads ------------------------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while run := self._prepare_run():
                if run.values:
                    self._ready.push(run)
            with self._lock:
                self._working -= 1
                last = self._working == 0
            if last:
                self._ready.push(None, forced=True)
        except FifoClosedError:
            pass

    def _prepare_run(self) -> Prepared | None:
        """Some images; None when there are no more."""
        indices: list[int] = []
        values: list[np.ndarray] = []
        decode = preprocess = 0
        while len(values) < self._chunk and decode + preprocess < _PATIENCE_NS:
            index = self._take()
            if index is None:
                if not indices:
                    return None
                break
            start = time.perf_counter_ns()
            middle = 0
            try:
                pixels = self._dataset.read(index, self._shape[0])
                middle = time.perf_counter_ns()
                values.append(prepared(self._prepare, pixels, self._shape, self._dataset, index))
                indices.append(index)
            except Exception as e:  # decoders meet files that nobody foresaw: one bad image must not end the run, whatever it raises
                self.failures.append(Failure(index, image_name(self._dataset, index), without_frames(e)))
            end = time.perf_counter_ns()
            decode += (middle or end) - start
            preprocess += end - (middle or end)
            if trace.active:
                self._record(index, start, middle or end, end)
        return Prepared(indices, values, decode, preprocess)

    def _take(self) -> int | None:
        with self._lock:
            index = self._next
            if index >= self._count or self._ready.closed:
                return None
            self._next = index + 1
            return index

    @staticmethod
    def _record(index: int, start: int, middle: int, end: int) -> None:
        row = threading.current_thread().name
        trace.record("decode", "host", start, middle, row, row="thread", image=index)
        trace.record("preprocess", "host", middle, end, row, row="thread", image=index)


def without_frames(error: Exception) -> Exception:
    """The error and its causes without their frames, which would keep every failed image's pixels until the end of the run."""
    found: BaseException | None = error
    while found is not None and found.__traceback__ is not None:
        found.__traceback__ = None
        found = found.__cause__ or found.__context__
    return error


def image_name(dataset: Dataset, index: int) -> str:
    """What an image is called: its path, where it has one."""
    where = getattr(dataset, "where", None)
    return str(where(index)) if where is not None else f"image {index} of {dataset.name}"

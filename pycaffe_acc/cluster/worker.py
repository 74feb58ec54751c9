"""A worker: a net of its own in a process of its own."""
from __future__ import annotations

import os
import platform
import threading
import time
from typing import NamedTuple, Protocol

import numpy as np

from pycaffe_acc.cluster.shard import Shard, ShardResult
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.answers import Answers
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.evaluate import warm_up
from pycaffe_acc.evaluation.intervals import union_ns
from pycaffe_acc.evaluation.pipeline import Driven, Pipeline, Task
from pycaffe_acc.evaluation.provider import Prepare, Provider, image_name


class Opened(NamedTuple):
    """What a worker works with.

    Attributes
    ----------
    net : Net
        With its batch.
    source, output : str
        Input blob, and the blob with the scores.
    dataset : Dataset
    prepare : callable
        (H, W, C) uint8 → (C, H, W) float32.
    decoders : int
        Threads that decode and prepare.
    """

    net: Driven
    source: str
    output: str
    dataset: Dataset
    prepare: Prepare
    decoders: int


class Opener(Protocol):
    """Opens the same on every machine."""

    def __call__(self) -> Opened:
        """Net and images."""


class Ready(NamedTuple):
    """What a worker says when it can begin."""

    name: str
    load_seconds: float
    compile_seconds: float
    warmup_seconds: float


class Slice:
    """Some images of a data set that follow one another."""

    def __init__(self, dataset: Dataset, shard: Shard):
        self._dataset, self._first = dataset, shard.first
        self.name, self.labels = dataset.name, np.asarray(dataset.labels)[shard.first:shard.end]

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int, channels: int) -> np.ndarray:
        """As `Dataset.read`."""
        return self._dataset.read(self._first + index, channels)

    def where(self, index: int) -> str:
        """What an image is called."""
        return image_name(self._dataset, self._first + index)


class Worker:
    """Evaluates one share after the other.

    Parameters
    ----------
    opener : Opener
    """

    def __init__(self, opener: Opener):
        self._opener = opener
        self._opened: Opened | None = None

    def machine(self) -> str:
        """The name of the machine that it is on."""
        return platform.node()

    def ready(self, place: int = 0, cores: int | None = None) -> Ready:
        """Open the net and warm it up; who this is, and what it took.

        Not a part of the constructor: what goes wrong here comes to the caller as the exception that it is.

        Parameters
        ----------
        place : int
            Which of the workers of its machine it is.
        cores : int, optional
            Keep to so many CPUs, those of its place, where the machine has enough: two workers must not compute on the same one.
        """
        if cores is not None and hasattr(os, "sched_setaffinity"):
            own = sorted(os.sched_getaffinity(0))[place * cores:(place + 1) * cores]
            if len(own) == cores:
                os.sched_setaffinity(0, own)
        start = time.perf_counter()
        self._opened = self._opener()
        loaded = time.perf_counter() - start
        return Ready(f"{platform.node()}:{os.getpid()}", loaded, *warm_up(self._opened.net))

    def run(self, shard: Shard) -> ShardResult:
        """Evaluate a share.

        Raises
        ------
        CaffeError
            When the net fails.
        """
        opened = self._opened
        if opened is None:
            raise CheckError("a worker was given images before it was ready")
        images = Slice(opened.dataset, shard)
        answers = Answers(images.labels)
        shape = opened.net.blobs[opened.source].shape
        errors: list[BaseException] = []
        begin = time.perf_counter_ns()
        with Provider(images, opened.prepare, (shape[1], shape[2], shape[3]), len(images), shape[0], opened.decoders) as provider:
            def fail(error: BaseException) -> None:
                errors.append(error)
                provider.close()
                pipeline.stop()
            pipeline = Pipeline(0, opened.net, Task(opened.source, opened.output, provider, answers.add, 2, threading.Lock()), fail)
            pipeline.start()
            pipeline.join()
        wall = (time.perf_counter_ns() - begin) * 1e-9
        if errors:
            raise errors[0]
        failures = [f._replace(number=f.number + shard.first).to_dict() for f in sorted(provider.failures)]
        return _result(shard, answers, pipeline, failures, wall)


def _result(shard: Shard, answers: Answers, pipeline: Pipeline, failures: list[dict[str, object]], wall: float) -> ShardResult:
    clock, accuracy = pipeline.clock, answers.accuracy if answers.images else None
    prepared = max(1, clock.decode_ns + clock.preprocess_ns)
    split = {"decode": clock.wait_ns * clock.decode_ns / prepared, "preprocess": clock.wait_ns * clock.preprocess_ns / prepared,
             "copy_in": clock.copy_in_ns, "compute": clock.compute_ns, "copy_out": clock.copy_out_ns, "post": clock.post_ns}
    work = {"decode": clock.decode_ns * 1e-9, "preprocess": clock.preprocess_ns * 1e-9, "post": clock.judge_ns * 1e-9}
    return ShardResult(shard.number, answers.best, accuracy.hits1 if accuracy else 0, accuracy.hits5 if accuracy else 0, answers.images, failures,
                       [(end - start) * 1e-6 for start, end in clock.batches], {k: v * 1e-9 for k, v in split.items()}, work,
                       union_ns(clock.busy) * 1e-9, sum(end - start for start, end in clock.busy) * 1e-9, wall, clock.simulated)

"""Accuracy and throughput of a net over a data set, measured in one pass."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cnrt.cores import CoreUse
from cnrt.cpu import effective_cpus
from cnrt.device import current_device
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.answers import Answers, class_scores
from pycaffe_acc.evaluation.clock import throughput
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.pipeline import Driven, Evaluated, Pipeline, Task
from pycaffe_acc.evaluation.prompt_switches import prompt_switches
from pycaffe_acc.evaluation.provider import Failure, Prepare, Provider, image_name
from pycaffe_acc.evaluation.report import Accuracy, Throughput
from pycaffe_acc.evaluation.simulated import simulated_throughput

__all__ = ["Evaluated", "Outcome", "Settings", "check_range", "class_scores", "evaluate", "score_output", "warm_up"]

@dataclass(frozen=True)
class Outcome:
    """What `evaluate` gives.

    Attributes
    ----------
    accuracy : Accuracy
    throughput : Throughput
    compile_seconds : float
        First forward: compilation or loading of kernels, packing of weights.
    warmup_seconds : float
        One more forward before the clock starts.
    best : (images of the list, 5) int64
        The best classes of each image, best first; -1 where there is no answer.
    scores : dict of int to float32 ndarray
        The scores of each image, where they were asked for.
    failures : list of Failure
        Images that could not be read or prepared, in order.
    cores : list of CoreUse
        What each core of the device did meanwhile.
    stopped : BaseException or None
        What ended the run early: Ctrl-C, or an error of a net. Everything else is of the images until then.
    """

    accuracy: Accuracy
    throughput: Throughput
    compile_seconds: float
    warmup_seconds: float
    best: np.ndarray
    scores: dict[int, np.ndarray] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    cores: list[CoreUse] = field(default_factory=list)
    stopped: BaseException | None = None


def score_output(net: Driven, name: str | None = None) -> str:
    """The output blob that holds class scores.

    Parameters
    ----------
    net : Net or OfflineNet
    name : str, optional

    Raises
    ------
    CheckError
        When it is not clear which one it is.
    """
    if name is not None:
        if name not in net.blobs:
            raise CheckError(f"net '{net.name}' has no blob '{name}'; its outputs: {', '.join(net.outputs)}")
        return name
    fitting = [n for n in net.outputs if len(net.blobs[n].shape) >= 2 and net.blobs[n].count // max(1, net.blobs[n].shape[0]) > 1]
    if len(fitting) != 1:
        shapes = ", ".join(f"{n} {net.blobs[n].shape}" for n in net.outputs)
        raise CheckError(f"net '{net.name}' must have one output with a score for each class, or --output must name it; its outputs: {shapes}")
    return fitting[0]


def warm_up(net: Driven) -> tuple[float, float]:
    """Seconds of the first forward and of the second."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        net.forward()
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


@dataclass(frozen=True)
class Settings:
    """How to run.

    Attributes
    ----------
    limit : int or None
        Only so many images, from the first.
    workers : int or None
        Threads that decode and prepare; None: the CPUs this process may use.
    fifo_size : int
        Buffers of each pipeline for batches, and as many for results. One makes its threads take turns, two let them work beside each other.
    keep_scores : bool
        Whether the outcome holds the scores of every image.
    progress : callable or None
        Called with the number of images after each batch.
    """

    limit: int | None = None
    workers: int | None = None
    fifo_size: int = 2
    keep_scores: bool = False
    progress: Callable[[int], object] | None = None


def evaluate(nets: Driven | Sequence[Driven], source: str, dataset: Dataset, prepare: Prepare, output: str | None = None,
             settings: Settings | None = None) -> Outcome:
    """Run every image through a net, in batches of its input blob's size; with several nets, in a pipeline of each beside the others.

    The last batch is filled up with copies of its last image: those are not counted, their time is.

    Parameters
    ----------
    nets : Net, OfflineNet or SlicedNet, or a sequence of them
        Twins of one net, such as `clone` gives.
    source : str
        The input blob.
    dataset : Dataset
    prepare : callable
        (H, W, C) uint8 → (C, H, W) float32.
    output : str, optional
        The blob with the scores.
    settings : Settings, optional

    Returns
    -------
    Outcome

    Raises
    ------
    CaffeError
        Before anything ran, or when there is no single result. What ends a run later is the outcome's `stopped`.
    """
    settings = settings or Settings()
    nets = list(nets) if isinstance(nets, Sequence) else [nets]
    blob, scores = nets[0].blobs[source], score_output(nets[0], output)
    batch, shape = blob.shape[0], blob.shape[1:]
    if batch < 1:
        raise CheckError(f"input '{source}' has the shape {blob.shape}; a batch needs at least one image")
    count = len(dataset) if settings.limit is None else min(settings.limit, len(dataset))
    if count < 1:
        raise CheckError(f"{dataset.name}: there are no images to evaluate")
    check_range(dataset, count, nets[0].blobs[scores].shape[1])
    compile_seconds, warmup_seconds = warm_up(nets[0])
    for net in nets[1:]:
        compile_seconds += sum(warm_up(net))
    answers = Answers(dataset.labels[:count], settings.keep_scores, settings.progress)
    cores = current_device().core_uses()
    begin = time.perf_counter_ns()
    workers = settings.workers or effective_cpus()
    with Provider(dataset, prepare, (shape[0], shape[1], shape[2]), count, batch, workers) as provider, prompt_switches():
        pipelines, stopped = _drive(nets, Task(source, scores, provider, answers.add, settings.fifo_size, threading.Lock()))
        wall = time.perf_counter_ns() - begin
    failures = sorted(provider.failures)
    if not answers.images:
        raise _no_result(dataset, failures, stopped)
    used = [use.since(before) for use, before in zip(current_device().core_uses(), cores, strict=True)]
    if any(p.clock.simulated for p in pipelines):
        speed, used = simulated_throughput(nets, source, scores, answers.images, settings.fifo_size)  # type: ignore[arg-type]
    else:
        speed = throughput([p.clock for p in pipelines], answers.images, wall)
    return Outcome(answers.accuracy, speed, compile_seconds, warmup_seconds, answers.best, answers.scores, failures, used, stopped)


def _drive(nets: Sequence[Driven], task: Task) -> tuple[list[Pipeline], BaseException | None]:
    """Run a pipeline for each net until all images are done, or something ends it."""
    errors: list[BaseException] = []

    def stop() -> None:
        task.provider.close()
        for pipeline in pipelines:
            pipeline.stop()

    def fail(error: BaseException) -> None:
        errors.append(error)
        stop()

    pipelines = [Pipeline(i, net, task, fail) for i, net in enumerate(nets)]
    try:
        for pipeline in pipelines:
            pipeline.start()
        for pipeline in pipelines:
            pipeline.join()
    except KeyboardInterrupt as interrupt:
        fail(interrupt)
        for pipeline in pipelines:
            pipeline.join()
    return pipelines, errors[0] if errors else None


def _no_result(dataset: Dataset, failures: Sequence[Failure], stopped: BaseException | None) -> BaseException:
    if stopped is not None:
        return stopped
    first = failures[0]
    error = CheckError(f"{dataset.name}: none of {len(failures)} images could be used; the first, {first.image}: {first.error}")
    error.__cause__ = first.error
    return error


def check_range(dataset: Dataset, count: int, classes: int) -> None:
    """Refuse labels that are no class of the net, before anything runs.

    Parameters
    ----------
    dataset : Dataset
    count : int
        Images, from the first.
    classes : int

    Raises
    ------
    CheckError
    """
    labels = np.asarray(dataset.labels[:count])
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise CheckError(f"{dataset.name}: {bad.size} of {count} labels are no class of the net, which has the classes 0 to {classes - 1}; the first "
                         f"is {labels[bad[0]]}, of {image_name(dataset, int(bad[0]))}. Is this the list that belongs to the model?")

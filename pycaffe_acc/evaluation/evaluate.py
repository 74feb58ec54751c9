"""Accuracy and throughput of a net over a data set, measured in one pass."""
from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cnrt.cpu import effective_cpus
from cnrt.device import current_device
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.feeder import Feeder, Prepare
from pycaffe_acc.evaluation.intervals import Interval, percentiles_ms, union_ns
from pycaffe_acc.evaluation.report import Accuracy, Throughput
from pycaffe_acc.evaluation.top_k import TopK
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet

#: what can be evaluated
Evaluated = Net | OfflineNet


@dataclass
class Clock:
    """What is measured on the way.

    Attributes
    ----------
    busy : list of Interval
        Between the notifiers around each function on the device.
    batches : list of Interval
        From copy-in to copy-out of each batch.
    wait_ns, copy_in_ns, compute_ns, copy_out_ns, post_ns : int
        Of the thread that drives the net; compute is the whole forward, layers on the host included.
    decode_ns, preprocess_ns : int
        Of the threads that prepare images.
    """

    busy: list[Interval] = field(default_factory=list)
    batches: list[Interval] = field(default_factory=list)
    wait_ns: int = 0
    copy_in_ns: int = 0
    compute_ns: int = 0
    copy_out_ns: int = 0
    post_ns: int = 0
    decode_ns: int = 0
    preprocess_ns: int = 0


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
    """

    accuracy: Accuracy
    throughput: Throughput
    compile_seconds: float
    warmup_seconds: float


def score_output(net: Evaluated, name: str | None = None) -> str:
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


def class_scores(values: np.ndarray) -> np.ndarray:
    """(N, classes, …) → (N, classes): scores of a fully convolutional net are averaged over positions."""
    if values.ndim < 2:
        raise CheckError(f"scores of shape {values.shape} have no class axis; they must be (images, classes)")
    return values.reshape(*values.shape[:2], -1).mean(2)


def warm_up(net: Evaluated) -> tuple[float, float]:
    """Seconds of the first forward and of the second."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        net.forward()
        seconds.append(time.perf_counter() - start)
    return seconds[0], seconds[1]


@contextmanager
def _prompt_switches(seconds: float = 0.0005) -> Iterator[None]:
    """Let a thread that comes back from native code wait for the interpreter no longer than this.

    Python's default of 5 ms, spent behind a thread that prepares images, would be counted as device time and is longer than a small net's forward.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, seconds))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def evaluate(net: Evaluated, source: str, dataset: Dataset, prepare: Prepare, output: str | None = None, limit: int | None = None,
             workers: int | None = None, progress: Callable[[int], None] | None = None) -> Outcome:
    """Run every image through the net, in batches of its input blob's size.

    The last batch is filled up with copies of its last image: those are not counted, their time is.

    Parameters
    ----------
    net : Net or OfflineNet
    source : str
        The input blob.
    dataset : Dataset
    prepare : callable
        (H, W, C) uint8 → (C, H, W) float32.
    output : str, optional
        The blob with the scores.
    limit : int, optional
        Only so many images, from the first.
    workers : int, optional
        Threads that decode and prepare; default: the CPUs this process may use.
    progress : callable, optional
        Called with the number of images after each batch.

    Returns
    -------
    Outcome

    Raises
    ------
    CaffeError
    """
    blob, scores = net.blobs[source], score_output(net, output)
    batch, shape = blob.shape[0], blob.shape[1:]
    if batch < 1:
        raise CheckError(f"input '{source}' has the shape {blob.shape}; a batch needs at least one image")
    count = len(dataset) if limit is None else min(limit, len(dataset))
    if count < 1:
        raise CheckError(f"{dataset.name}: there are no images to evaluate")
    compile_seconds, warmup_seconds = warm_up(net)
    hits, clock = TopK(), Clock()
    begin = time.perf_counter_ns()
    feeder = Feeder(dataset, prepare, (shape[0], shape[1], shape[2]), count, batch, workers or effective_cpus())
    with _prompt_switches():
        _drive(net, source, scores, feeder, count, hits, clock, progress)
    wall = time.perf_counter_ns() - begin
    return Outcome(Accuracy(hits.images, hits.hits1, hits.hits5), _throughput(clock, hits.images, wall), compile_seconds, warmup_seconds)


def _drive(net: Evaluated, source: str, output: str, feeder: Feeder, count: int, hits: TopK, clock: Clock,
           progress: Callable[[int], None] | None) -> None:
    """Gather what the threads prepared into batches and run them."""
    shape = net.blobs[source].shape
    values, labels = np.zeros(shape, np.float32), np.zeros(shape[0], np.int64)
    filled = 0
    asked = time.perf_counter_ns()
    for part in feeder:
        clock.wait_ns += time.perf_counter_ns() - asked
        values[filled:filled + len(part.values)] = part.values
        labels[filled:filled + len(part.values)] = part.labels
        filled += len(part.values)
        clock.decode_ns += part.decode_ns
        clock.preprocess_ns += part.preprocess_ns
        if filled == shape[0] or hits.images + filled == count:
            values[filled:] = values[filled - 1]
            _run_batch(net, source, output, values, labels[:filled], hits, clock)
            if progress is not None:
                progress(filled)
            filled = 0
        asked = time.perf_counter_ns()


def _run_batch(net: Evaluated, source: str, output: str, values: np.ndarray, labels: np.ndarray, hits: TopK, clock: Clock) -> None:
    start = time.perf_counter_ns()
    net.blobs[source].data[...] = values
    ready = time.perf_counter_ns()
    net.notifiers = []
    net.forward()
    done = time.perf_counter_ns()
    intervals = [(a.time_ns, b.time_ns) for a, b in net.notifiers if a.time_ns is not None and b.time_ns is not None]
    clock.busy += intervals or [(ready, done)]  # with PYCAFFE_ACC_KERNELS=numpy the host computes, and no function is launched
    clock.compute_ns += done - ready
    net.notifiers = None
    scores = net.blobs[output].data[:len(labels)].copy()
    out = time.perf_counter_ns()
    hits.add(class_scores(scores), labels)
    clock.batches.append((start, out))
    clock.copy_in_ns += ready - start
    clock.copy_out_ns += out - done
    clock.post_ns += time.perf_counter_ns() - out


def _throughput(clock: Clock, images: int, wall_ns: int) -> Throughput:
    busy = union_ns(clock.busy)
    total = sum(end - start for start, end in clock.busy)
    runners = 1  # one thread drives the net; the vendor's formula multiplies the mean rate of a runner by their number
    work = max(1, clock.decode_ns + clock.preprocess_ns)
    split = {"decode": clock.wait_ns * clock.decode_ns / work, "preprocess": clock.wait_ns * clock.preprocess_ns / work,
             "copy_in": clock.copy_in_ns, "compute": clock.compute_ns, "copy_out": clock.copy_out_ns, "post": clock.post_ns}
    split["other"] = wall_ns - sum(split.values())
    return Throughput(images, hardware_fps=images / (busy * 1e-9), hardware_fps_vendor=images / (total * 1e-3) * runners * 1e6,
                      end_to_end_fps=images / (wall_ns * 1e-9), latency_ms=percentiles_ms(clock.batches),
                      split_seconds={k: v * 1e-9 for k, v in split.items()},
                      work_seconds={"decode": clock.decode_ns * 1e-9, "preprocess": clock.preprocess_ns * 1e-9}, wall_seconds=wall_ns * 1e-9,
                      simulated=current_device().time_source != "host")

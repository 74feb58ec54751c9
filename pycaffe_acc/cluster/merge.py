"""The shares of all workers as one result."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pycaffe_acc.cluster.shard import Shard, ShardResult, WorkerUse
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.report import SPLIT, Accuracy, Throughput


@dataclass(frozen=True)
class ClusterOutcome:
    """What an evaluation on a cluster gives.

    Attributes
    ----------
    accuracy : Accuracy
    throughput : Throughput
        See `merged`.
    best : (images, 5) int64
        The best classes of each image in the order of the data set.
    failures : list of dict
    workers : list of WorkerUse
    redone : int
        Shares that had to be done again because their worker was lost.
    load_seconds, compile_seconds, warmup_seconds : float
        Of the slowest worker.
    """

    accuracy: Accuracy
    throughput: Throughput
    best: np.ndarray
    failures: list[dict[str, Any]]
    workers: list[WorkerUse]
    redone: int
    load_seconds: float
    compile_seconds: float
    warmup_seconds: float


def merged(shares: Sequence[Shard], results: Mapping[int, ShardResult], workers: Sequence[WorkerUse], redone: int, wall: float,
           beside: int) -> ClusterOutcome:
    """Put the shares together.

    Hardware FPS is the sum of every worker's images over its device-busy time: what the devices would do together if none ever waited. The
    vendor's formula is images over the sum of all device-busy time, times the workers that ran beside each other. End to end is over the wall time of
    the whole, from the moment when all workers are ready to the last result. The split is a worker's mean share of that; "other" holds what
    workers waited for each other.

    Parameters
    ----------
    shares : sequence of Shard
    results : mapping of int to ShardResult
        Of every share.
    workers : sequence of WorkerUse
    redone : int
    wall : float
        Seconds.
    beside : int
        Workers at once.

    Raises
    ------
    CheckError
        When no image could be used.
    """
    found = [results[s.number] for s in shares]
    images = sum(r.images for r in found)
    failures = [f for r in found for f in r.failures]
    if not images:
        raise CheckError(f"none of {len(failures)} images could be used; the first, {failures[0]['image']}: {failures[0]['reason']}" if failures
                         else "there are no images to evaluate")
    used = [w for w in workers if w.images and w.busy_seconds > 0]
    split = {k: sum(r.split_seconds[k] for r in found) / beside for k in SPLIT}
    split["other"] = wall - sum(split.values())
    latencies = [ms for r in found for ms in r.batches_ms]
    throughput = Throughput(
        images, hardware_fps=sum(w.images / w.busy_seconds for w in _longest(used, beside)),
        hardware_fps_vendor=images / sum(w.busy_sum_seconds for w in used) * beside, end_to_end_fps=images / wall,
        latency_ms={f"p{p}": float(np.percentile(latencies, p)) for p in (50, 90, 99)}, split_seconds=split,
        work_seconds={k: sum(r.work_seconds[k] for r in found) for k in ("decode", "preprocess", "post")}, wall_seconds=wall,
        simulated=any(r.simulated for r in found))
    return ClusterOutcome(Accuracy(images, sum(r.hits1 for r in found), sum(r.hits5 for r in found)), throughput,
                          np.concatenate([r.best for r in found]),
                          failures, list(workers), redone, *(max(getattr(w, f"{k}_seconds") for w in workers) for k in ("load", "compile", "warmup")))


def _longest(used: Sequence[WorkerUse], beside: int) -> list[WorkerUse]:
    """Of a worker that was lost and the one that took its place only one counts: they never ran beside each other."""
    return sorted(used, key=lambda w: -w.busy_seconds)[:beside]

"""Shares of the images: what is sent to a worker, and what comes back."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: batches in a share: few enough that the last ones end together, and that little is lost with a worker
_BATCHES = 4


@dataclass(frozen=True)
class Shard:
    """Images that follow one another.

    Attributes
    ----------
    number : int
    first, end : int
        The first image, and the one behind the last.
    """

    number: int
    first: int
    end: int


@dataclass(frozen=True)
class ShardResult:
    """What a worker found.

    Attributes
    ----------
    number : int
    best : (images, 5) int64
        The best classes of each image, best first; -1 where there is no answer.
    hits1, hits5, images : int
        Answered images, and how many of them were right.
    failures : list of dict
        Images that could not be used.
    batches_ms : list of float
        From copy-in to copy-out of each batch.
    split_seconds : dict of str to float
        Of the thread that drives the net, by the names of a throughput's split.
    work_seconds : dict of str to float
        Of the threads beside it.
    busy_seconds : float
        Union of the device-busy intervals.
    busy_sum_seconds : float
        Their sum.
    wall_seconds : float
    simulated : bool
    """

    number: int
    best: np.ndarray
    hits1: int
    hits5: int
    images: int
    failures: list[dict[str, Any]]
    batches_ms: list[float]
    split_seconds: dict[str, float]
    work_seconds: dict[str, float]
    busy_seconds: float
    busy_sum_seconds: float
    wall_seconds: float
    simulated: bool = False


@dataclass
class WorkerUse:
    """What a worker contributed; what a lost one had given before counts.

    Attributes
    ----------
    name : str
        Node and process.
    shards, images : int
    busy_seconds, busy_sum_seconds : float
    compile_seconds, warmup_seconds, load_seconds : float
    lost : bool
    """

    name: str
    shards: int = 0
    images: int = 0
    busy_seconds: float = 0.0
    busy_sum_seconds: float = 0.0
    load_seconds: float = 0.0
    compile_seconds: float = 0.0
    warmup_seconds: float = 0.0
    lost: bool = False
    split_seconds: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"worker": self.name, "shards": self.shards, "images": self.images, "busy_seconds": self.busy_seconds, "lost": self.lost,
                "load_seconds": self.load_seconds, "compile_seconds": self.compile_seconds}


def shards(images: int, batch: int) -> list[Shard]:
    """All images in shares of whole batches, so that every batch is the one that a single machine would run.

    Parameters
    ----------
    images, batch : int
    """
    size = batch * _BATCHES
    return [Shard(i, first, min(first + size, images)) for i, first in enumerate(range(0, images, size))]

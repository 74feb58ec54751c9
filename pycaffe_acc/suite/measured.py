"""Measured figures: a net over its images, and nets that take turns with inputs in memory."""
from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.evaluate import Outcome, Settings, evaluate
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.suite.image_set import ChosenImages
from pycaffe_acc.suite.peer_net import PeerNet
from pycaffe_acc.suite.sequence_net import SequenceNet

#: batches of a turn that begins with files, and the seconds it takes the fastest net, if they are not enough for that
_BATCHES = 3
_LEAST = 0.3
#: what a suite evaluates
Evaluable = Driven | SequenceNet | PeerNet


def measured(net: Evaluable, dataset: Dataset, preprocess: Preprocess, limit: int | None,
             progress: Callable[[int], object] | None = None) -> dict[str, Any]:
    """Accuracy and throughput of a net over the same images, as plain values.

    Parameters
    ----------
    net : Net, SequenceNet or PeerNet
        With its batch.
    dataset : Dataset
    preprocess : Preprocess
    limit : int or None
        Images, from the first.
    progress : callable, optional
        Called with the number of images of each batch.

    Returns
    -------
    dict
        `accuracy`, `throughput`, `compile_seconds`.

    Raises
    ------
    CaffeError
        Also when a net failed in the middle: half of the images are no result.
    """
    source = net.inputs[0]
    shape = net.blobs[source].shape
    outcome = evaluate(net, source, dataset, lambda pixels: preprocess.apply(pixels, shape), None,  # type: ignore[arg-type]
                       Settings(limit, progress=progress))
    if outcome.stopped is not None:
        raise outcome.stopped
    return {"accuracy": _accuracy(outcome, dataset.name, preprocess.describe()), "throughput": _throughput(outcome),
            "compile_seconds": outcome.compile_seconds}


def _accuracy(outcome: Outcome, data: str, how: str) -> dict[str, Any]:
    a = outcome.accuracy
    return {"top1": a.top1, "top5": a.top5, "images": a.images, "hits1": a.hits1, "hits5": a.hits5, "data": data, "preprocess": how,
            "unread": len(outcome.failures)}


def _throughput(outcome: Outcome) -> dict[str, Any]:
    figures = asdict(outcome.throughput)
    figures.pop("simulated")
    return figures | {"split_of": "wall time", "in_turn_fps": None, "in_turn_end_to_end_fps": None}


def in_turns(nets: Mapping[str, Evaluable], seed: int, rounds: int = 9, seconds: float = 15.0) -> dict[str, float]:
    """Images per second of nets that take turns, so that whatever else the machine does meets all of them alike.

    Inputs are seeded noise, lie in memory and have the same values for all. A turn is one forward behind one that does not count, or more that take
    40 ms together. Every other round goes backwards, so that no net always follows the same one. A net's figure is the median over the rounds.

    Parameters
    ----------
    nets : mapping of str to Net, SequenceNet or PeerNet
        Of one input shape.
    seed : int
    rounds : int
    seconds : float
        After the third round no other begins when this much time has passed.

    Returns
    -------
    dict of str to float
    """
    images = {}
    for name, net in nets.items():
        blob = net.blobs[net.inputs[0]]
        blob.data[...] = np.random.default_rng(seed).standard_normal(blob.shape, np.float32)
        images[name] = blob.shape[0]
        net.forward()
    times: dict[str, list[float]] = {name: [] for name in nets}
    start = time.perf_counter()
    for i in range(rounds):
        if i >= 3 and time.perf_counter() - start > seconds:
            break
        for name in _order(nets, i):
            times[name].append(_turn(nets[name]))
    return {name: images[name] / statistics.median(t) for name, t in times.items()}


def end_to_end_in_turns(nets: Mapping[str, Evaluable], dataset: Dataset, preprocess: Preprocess, rounds: int = 7,
                        seconds: float = 40.0) -> dict[str, float]:
    """End-to-end images per second of nets that take turns, over the same images each time.

    The first pictures of a turn are decoded while nothing is computed yet, so the figures are lower than over a whole set, for all nets alike. Every
    other round goes backwards. The first round only shows how many images are enough.

    Parameters
    ----------
    nets : mapping of str to Net, SequenceNet or PeerNet
        Of one input shape.
    dataset : Dataset
    preprocess : Preprocess
    rounds : int
    seconds : float
        After the third round no other begins when this much time has passed.

    Returns
    -------
    dict of str to float
        Medians over the rounds but the first.
    """
    rates: dict[str, list[float]] = {name: [] for name in nets}
    batch = max(net.blobs[net.inputs[0]].shape[0] for net in nets.values())
    count, first = _BATCHES * batch, 0
    start = time.perf_counter()
    for i in range(rounds):
        if i >= 3 and time.perf_counter() - start > seconds:
            break
        images = ChosenImages(dataset, np.arange(first, first + count) % len(dataset), "turns")
        for name in _order(nets, i):
            rates[name].append(measured(nets[name], images, preprocess, None)["throughput"]["end_to_end_fps"])
        first += count
        if i == 0:
            count = max(count, batch * math.ceil(_LEAST * max(r[0] for r in rates.values()) / batch))
    return {name: statistics.median(r[1:] or r) for name, r in rates.items()}


def _order(nets: Iterable[str], turn: int) -> list[str]:
    return list(nets) if turn % 2 == 0 else list(nets)[::-1]


def _turn(net: Evaluable, least: float = 0.04) -> float:
    """Seconds of one forward."""
    net.forward()
    start, count = time.perf_counter(), 0
    while True:
        net.forward()
        count += 1
        took = time.perf_counter() - start
        if took >= least:
            return took / count


def layer_table(net: Any, iterations: int = 3) -> list[dict[str, Any]]:
    """Median time of every operator of a net, as rows of the report's table."""
    return [{"name": t.name, "type": t.kind, "note": t.note, "ms": t.milliseconds, "macs": t.macs,
             "gmacs_per_second": 1e-6 * t.macs / t.milliseconds if t.macs and t.milliseconds > 0 else None} for t in net.profile(iterations)]

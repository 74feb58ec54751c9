"""Throughput on a virtual card: every figure simulated, none of them a time of the host that computed the values."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnrt.cores import CoreUse
from cnrt.simulation import Feed, Simulated, simulate
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.card_work import card_work
from pycaffe_acc.evaluation.report import Throughput
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.runners.online_engine import queues_of

CardNet = Net | OfflineNet


def simulated_throughput(nets: Sequence[CardNet], source: str, output: str, images: int, fifo_size: int = 2) -> tuple[Throughput, list[CoreUse]]:
    """What a run over pictures would take on the nets' card and the host of its spec.

    Parameters
    ----------
    nets : sequence of Net or OfflineNet
        On a card, one for each pipeline.
    source, output : str
        Input blob, and the blob with the scores.
    images : int
    fifo_size : int
        Batches that may wait between two threads of a pipeline.

    Returns
    -------
    throughput : Throughput
        `split_seconds` is one pipeline's: the time its card works, and the time it waits for the other stages in proportion to what they take.
    cores : list of CoreUse
        In simulated time.

    Raises
    ------
    CheckError
        When the nets are not on a card.
    """
    queues = [queues_of(net)[0] for net in nets]
    clock = queues[0].device.clock
    if clock is None:
        raise CheckError(f"net '{nets[0].name}' runs on {queues[0].device.name}, whose times are measured; only those of virtual cards are simulated")
    shape, result = nets[0].blobs[source].shape, nets[0].blobs[output].shape
    batch = shape[0]
    rounds = -(-images // (batch * len(nets)))
    feed = Feed(4.0 * prod(shape[1:]), 2.0 * prod(shape[1:]), 4.0 * prod(result[1:]), 2.0 * prod(result[1:]), pixels=prod(shape[2:]), pipelined=True,
                online=isinstance(nets[0], Net), fifo=fifo_size)
    work = card_work(nets[0])
    figures = simulate(work.costs, work.on(clock.card), work.launch, len(nets), batch, rounds, feed, [max(0, q.channel) for q in queues])
    longer = rounds * batch * len(nets) / figures.images
    per_channel = clock.card.cores_per_channel
    cores = [CoreUse(i, i // per_channel, round(1e9 * s * longer), round(n * longer), False) for i, (n, s) in enumerate(figures.cores)]
    return _throughput(figures, images, longer), cores


def _throughput(figures: Simulated, images: int, longer: float) -> Throughput:
    """The figures for `images`, of a run that is so many times as long as the simulated part."""
    wall = figures.seconds * longer
    split = {k: v * longer / figures.threads for k, v in figures.split.items()}
    compute = min(split.pop("compute"), wall)
    stages = {"decode": split["load"], "copy_in": split["convert_in"] + split["copy_in"], "copy_out": split["copy_out"] + split["convert_out"]}
    waits = (wall - compute) / max(sum(stages.values()), 1e-30)
    parts = {"decode": stages["decode"] * waits, "preprocess": 0.0, "copy_in": stages["copy_in"] * waits, "compute": compute,
             "copy_out": stages["copy_out"] * waits, "post": 0.0}
    parts["other"] = wall - sum(parts.values())
    milliseconds = 1e3 * np.array(figures.latencies)
    return Throughput(images, images / (figures.busy_seconds * longer), images / (figures.hardware_seconds * longer) * figures.threads, images / wall,
                      {f"p{p}": float(np.percentile(milliseconds, p)) for p in (50, 90, 99)}, parts,
                      {"decode": split["load"] * figures.threads, "preprocess": 0.0, "post": 0.0}, wall, simulated=True)

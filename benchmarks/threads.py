"""What threads are worth: one and two in a net, several nets at once, and beside a process that computes all the time.

    python benchmarks/threads.py NET.prototxt [NET.prototxt ...] [--threads 2] [--nets 4] [--rounds 10] [--json FILE]

Weights and inputs are seeded noise, batch 1. Everything that is compared is timed in turn (A B A B ...); medians, with the best in brackets.
`others` is the share of the machine's processors that other processes took meanwhile (Linux): a line where it is high says little.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import pycaffe_acc as caffe
from cnrt import Constant, Function, Instruction, Queue
from pycaffe_acc.environment import environment
from pycaffe_acc.seeded_weights import fill_seeded


class Load:
    """The share of the machine that other processes took since the start."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        try:
            ticks = [int(v) for v in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        except (OSError, ValueError, IndexError):
            return None
        own = os.times()
        return sum(ticks), sum(ticks) - ticks[3] - ticks[4], (own.user + own.system) * os.sysconf("SC_CLK_TCK")

    def share(self) -> float | None:
        """0 to 1; None where that cannot be told."""
        end = self._now()
        if self._start is None or end is None or end[0] == self._start[0]:
            return None
        total, busy, own = (b - a for a, b in zip(self._start, end, strict=True))
        return round(max(0.0, (busy - own) / total), 3)


def make_net(path: str, threads: int) -> caffe.Net:
    """A net of batch 1 that has run once."""
    net = caffe.Net(path, caffe.TEST, threads=threads)
    fill_seeded(net)
    for name in net.inputs:
        net.blobs[name].reshape(1, *net.blobs[name].shape[1:])
    net.reshape()
    return run_once(net)


def run_once(net: caffe.Net) -> caffe.Net:
    """Fill the inputs and compile."""
    rng = np.random.default_rng(0)
    for name in net.inputs:
        net.blobs[name].data[...] = rng.standard_normal(net.blobs[name].shape, np.float32)
    net.forward()
    return net


def twin(net: caffe.Net, threads: int) -> caffe.Net:
    """A clone with its own number of threads, that has run once."""
    other = net.clone()
    other.threads = threads
    return run_once(other)


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(cases: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    """Milliseconds of each case, medians and minima, timed in turn after a round that does not count."""
    load, times = Load(), {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, work in cases.items():
            value = 1e3 * seconds(work)
            if turn:
                times[name].append(value)
    return {"median_ms": {k: statistics.median(v) for k, v in times.items()}, "min_ms": {k: min(v) for k, v in times.items()}, "others": load.share()}


def at_once(nets: list[caffe.Net], forwards: int) -> None:
    """Each net in a Python thread of its own, `forwards` times."""
    def work(net: caffe.Net) -> None:
        for _ in range(forwards):
            net.forward()

    threads = [threading.Thread(target=work, args=(n,)) for n in nets]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def _compute(stop: Any) -> None:
    while not stop.is_set():
        sum(range(100_000))


@contextmanager
def busy_process() -> Iterator[None]:
    """A process that computes all the time."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=_compute, args=(stop,), daemon=True)
    process.start()
    time.sleep(1.0)
    try:
        yield
    finally:
        stop.set()
        process.join()


def measure(path: str, threads: int, most: int, rounds: int) -> dict[str, Any]:
    """All comparisons of one net."""
    one = make_net(path, 1)
    more = twin(one, threads)
    pair = {"1 thread": one.forward, f"{threads} threads": more.forward}
    found: dict[str, Any] = {"net": one.name, "alone": in_turn(pair, rounds)}
    nets = [more] + [twin(one, threads) for _ in range(most - 1)]
    forwards = max(2, round(100 / found["alone"]["median_ms"]["1 thread"]))
    cases = {f"{k} at once": partial(at_once, nets[:k], forwards) for k in range(1, most + 1)}
    together = in_turn(cases, max(2, rounds // 2))
    for kind in ("median_ms", "min_ms"):
        together[kind] = {k: v / (forwards * (i + 1)) for i, (k, v) in enumerate(together[kind].items())}
    found["ms_per_image_of_nets_at_once"] = together
    with busy_process():
        found["beside_a_busy_process"] = in_turn(pair, rounds)
    return found


def launches(threads: int) -> dict[str, Any]:
    """Microseconds of a function of 1 and of 1001 rows that do next to nothing, and of one after an idle time of 5 ms."""
    x, y = np.ones(8, np.float32), np.empty(8, np.float32)
    row = Instruction("sqrt_f32", (Constant(x), Constant(y), 8))
    short, long = Function("short", [row]), Function("long", [row] * 1001)
    found: dict[str, Any] = {}
    with Queue() as queue:
        for cores in (1, threads):
            queue.run(short, cores)
            hot = min(seconds(partial(queue.run, short, cores)) for _ in range(500))
            rows = min(seconds(partial(queue.run, long, cores)) for _ in range(50))
            rested = []
            for _ in range(50):
                time.sleep(0.005)
                rested.append(seconds(partial(queue.run, short, cores)))
            found[f"{cores}"] = {"launch_us": 1e6 * hot, "after_idle_us": 1e6 * statistics.median(rested), "row_us": 1e6 * (rows - hot) / 1000}
    return found


def show(found: dict[str, Any]) -> str:
    """A comparison as one line."""
    first = next(iter(found["median_ms"].values()))
    cells = [f"{k} {v:.2f} [{found['min_ms'][k]:.2f}] ms x{first / v:.2f}" for k, v in found["median_ms"].items()]
    return ", ".join(cells) + ("" if found["others"] is None else f"; others {100 * found['others']:.0f} %")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NET.prototxt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nets", type=int, default=4, help="most nets at once (default 4)")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    document: dict[str, Any] = {"environment": environment(), "launch": launches(args.threads), "nets": []}
    for cores, v in document["launch"].items():
        print(f"{cores} core slots: launch {v['launch_us']:.1f} us, after 5 ms of idleness {v['after_idle_us']:.0f} us, {v['row_us']:.3f} us a row")
    for path in args.models:
        found = measure(path, args.threads, args.nets, args.rounds)
        document["nets"].append(found)
        print(found["net"] or path)
        for key in ("alone", "ms_per_image_of_nets_at_once", "beside_a_busy_process"):
            print(f"  {key.replace('_', ' '):30} {show(found[key])}", flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

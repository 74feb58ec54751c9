"""What data and model parallelism are worth on this machine's cores.

    python benchmarks/parallel.py --model P --weights W [--precision int8] [--rounds 12] [--batch 8] [--cores 2] [--json FILE]

Throughput: a batch on one core, cut into slices on a core each (dp), split layer by layer over the cores (mp), and in pipelines of one core each
(threads). Latency: one image on one core and on all (mp). Online nets, and the same net as an offline model. Every run begins with new values in the
input. Everything that is compared is timed in turn (A B A B ...): medians, with the best in brackets; then the median of the rounds' ratios to the
first. `others` is the share of the machine that other processes took meanwhile (Linux): a line where it is high says little.
"""
from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threads import Load, seconds

from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.evaluation.prompt_switches import prompt_switches
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.offline import compile_offline
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.sliced_net import SlicedNet
from pycaffe_acc.tools.model_arguments import add_engine, add_model, set_batch


def ready(net: Driven) -> Callable[[], Any]:
    """A forward with new values in the inputs, compiled."""
    rng = np.random.default_rng(0)
    values = {name: 50 * rng.standard_normal(net.blobs[name].shape, np.float32) for name in net.inputs}

    def forward() -> None:
        for name, value in values.items():
            net.blobs[name].data[...] = value
        net.forward()

    forward()
    forward()
    return forward


def beside(work: list[Callable[[], Any]]) -> None:
    """Each in a thread of its own."""
    threads = [threading.Thread(target=run) for run in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_turn(cases: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    """Milliseconds of each case in every round, after one that does not count."""
    load, times = Load(), {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, work in cases.items():
            value = 1e3 * seconds(work)
            if turn:
                times[name].append(value)
    return {"ms": times, "others": load.share()}


def show(found: dict[str, Any]) -> str:
    """A comparison as one line."""
    first = next(iter(found["ms"].values()))
    cells = [f"{name} {statistics.median(v):.2f} [{min(v):.2f}] ms x{statistics.median([a / b for a, b in zip(first, v, strict=True)]):.2f} "
             f"[x{min(first) / min(v):.2f}]" for name, v in found["ms"].items()]
    return ", ".join(cells) + ("" if found["others"] is None else f"; others {100 * found['others']:.0f} %")


def twin(net: Net, threads: int, batch: int) -> Net:
    """Another net with the same weights."""
    other = net.clone()
    other.threads = threads
    set_batch(other, batch)
    return other


def online(net: Net, batch: int, cores: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """What is compared, of the online net."""
    pipelines = [ready(twin(net, 1, batch)) for _ in range(cores)]
    return {f"throughput of batch {batch}": {
                "dp 1": ready(twin(net, 1, batch)), f"dp {cores}": ready(SlicedNet(twin(net, 1, batch), cores)),
                f"mp {cores}": ready(twin(net, cores, batch)), f"{cores} pipelines, per batch": partial(beside, pipelines)},
            "latency of batch 1": {"mp 1": ready(twin(net, 1, 1)), f"mp {cores}": ready(twin(net, cores, 1))}}


def offline(net: Net, folder: Path, batch: int, cores: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """What is compared, of offline models; data parallelism d runs d slices of batch / d."""
    found: dict[str, Callable[[], Any]] = {}
    for data in (1, cores):
        compile_offline(twin(net, 1, batch // data)).save(folder / f"d{data}")
        found[f"dp {data}"] = ready(OfflineNet(folder / f"d{data}.cambricon", 1, data_parallel=data))
    compile_offline(twin(net, 1, 1)).save(folder / "one")
    return {f"throughput of batch {batch}, offline": found,
            "latency of batch 1, offline": {f"mp {m}": ready(OfflineNet(folder / "one.cambricon", m)) for m in (1, cores)}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model(parser, weights_required=False)
    add_engine(parser)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parser.set_defaults(batch=8)
    args = parser.parse_args()
    net = Net(args.model, TEST, weights=args.weights, threads=1, precision=args.precision or "fp32")
    if args.weights is None:
        fill_seeded(net)
    document: dict[str, Any] = {"environment": environment(), "net": net.name, "precision": args.precision or "fp32", "cores": args.cores}
    with tempfile.TemporaryDirectory() as folder, prompt_switches():
        groups = online(net, args.batch, args.cores) | offline(net, Path(folder), args.batch, args.cores)
        for title, cases in groups.items():
            found = in_turn(cases, args.rounds)
            found["ms"] = {k: [t / args.cores for t in v] if "pipelines" in k else v for k, v in found["ms"].items()}
            document[title] = found
            print(f"{title}: {show(found)}", flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""`time`: how long a forward takes, and where."""
from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from cnml.executable import Timing
from cnrt.queue import keep_company
from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.net import Net
from pycaffe_acc.net_sparsity import as_fields, in_total, in_words, of_slices, with_rates
from pycaffe_acc.runners.online_engine import queues_of
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.sliced_net import SlicedNet
from pycaffe_acc.tools.card_timings import card_timings
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.forward_times import ForwardTimes, time_together
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, open_net, positive
from pycaffe_acc.tools.parallel_arguments import Layout, add_parallel, layout, on_device, pipelines

NAME = "time"
HELP = "median and minimum time of a forward, and a table by layer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, engine, cores, number of iterations."""
    add_model(parser, weights_required=False)
    add_engine(parser, "core slots (default: the CPUs this process may use); with --dp, --mp or on a card, pipelines beside each other")
    add_parallel(parser, queues=False)
    parser.add_argument("--iterations", type=positive, default=20, metavar="N", help="timed forwards (default 20)")
    parser.add_argument("--no-fusion", action="store_true", help="show every layer alone in the table (the times above it stay those of the fused "
                        "net)")
    parser.add_argument("--no-layers", action="store_true", help="leave out the table by layer")


def run(args: argparse.Namespace) -> int:
    """Compile, time forwards, time operators."""
    check_engine(args, cards=True)
    cores = layout(args)
    if not cores.card and args.dp is None and args.mp is None:
        cores = cores._replace(pipelines=1, model=args.threads or 1)
    with on_device(args, cores):
        net = open_net(args)
        if args.weights is None:
            fill_seeded(net)
        nets = pipelines(args, cores, net)
        if cores.card:
            keep_company([queues_of(one) for one in nets])  # type: ignore[arg-type]
        for one in nets:
            fill_inputs(one)
        start = time.perf_counter()
        for one in nets:
            one.forward()
        compile_seconds = time.perf_counter() - start
        times = time_together(nets, args.iterations)
        memory = net.memory()
        layers = [] if args.no_layers else _layers(args, cores, net)
    document = _document(args, nets, cores, compile_seconds, times, layers) | {"memory": memory}
    emit(args, document, _text(document))
    return 0


def _layers(args: argparse.Namespace, cores: Layout, net: Net) -> list[Timing]:
    if cores.card:
        return card_timings(net, fusion=not args.no_fusion)
    return net.profile(args.iterations, fusion=not args.no_fusion)


def fill_inputs(net: Driven, seed: int = 0) -> None:
    """Seeded noise in the inputs, so that no shortcut for zeros can flatter the time."""
    rng = np.random.default_rng(seed)
    for name in net.inputs:
        blob = net.blobs[name]
        blob.data[...] = rng.standard_normal(blob.shape, dtype=np.float32)


def time_forwards(net: Net, iterations: int) -> list[float]:
    """Milliseconds of each forward, after one that is not counted."""
    return time_together([net], iterations).milliseconds


def _document(args: argparse.Namespace, nets: list[Driven], cores: Layout, compile_seconds: float, times: ForwardTimes,
              layers: list[Timing]) -> dict[str, Any]:
    net, median = nets[0], statistics.median(times.milliseconds)
    slices = len(net.parts) if isinstance(net, SlicedNet) else 1  # a forward is all of them; the table is one's
    macs = slices * sum(t.macs for t in layers)
    rows = [{"name": t.name, "type": t.kind, "kernel": t.note, "ms": t.milliseconds, "macs": t.macs, "gflops": _gflops(t.macs, t.milliseconds),
             "weight_sparsity": as_fields(t.sparsity) if t.sparsity else None} for t in layers]
    total = of_slices(in_total([(t.name, t.sparsity) for t in layers if t.sparsity]), slices)
    batch = net.blobs[net.inputs[0]].shape[0] if net.inputs and net.blobs[net.inputs[0]].shape else None
    return {"model": args.model, "weights": args.weights or "seeded random values", "precision": args.precision, "device": args.device,
            "time": "simulated" if times.simulated else "measured",
            "batch": batch, "threads": net.threads,
            "pipelines": cores.pipelines, "dp": cores.data, "mp": net.threads // cores.data, "forwards_per_second": times.forwards_per_second,
            "iterations": args.iterations, "median_ms": median, "min_ms": min(times.milliseconds), "compile_seconds": compile_seconds,
            "macs": macs if layers else None, "gflops": _gflops(macs, median) if layers else None,
            "weight_sparsity": with_rates(total, 1e3 / median) if layers else None, "layers": rows,
            "layers_batch": batch // slices if batch and layers else None, "environment": environment()}


def _gflops(macs: int, milliseconds: float) -> float | None:
    return 2e-6 * macs / milliseconds if macs and milliseconds > 0 else None


def _shares(sparsity: dict[str, Any] | None) -> list[str]:
    """Cells of a layer; GFLOP/s beside them are those of the dense layer."""
    return ["-", "-"] if sparsity is None else [f"{100 * sparsity[key]:.1f}" for key in ("achieved", "exploited")]


def _text(d: dict[str, Any]) -> str:
    lines = []
    if d["layers"]:
        total, zeros = sum(r["ms"] for r in d["layers"]), d["weight_sparsity"]["zeros"] > 0
        rows = [[r["name"], r["type"], r["kernel"], f"{r['ms']:.3f}", f"{100 * r['ms'] / total:.1f}" if total else "-",
                 f"{r['macs'] / 1e6:.2f}" if r["macs"] else "-", r["gflops"], *(_shares(r["weight_sparsity"]) if zeros else [])] for r in d["layers"]]
        lines += [table(["layer", "type", "kernel", "ms", "%", "MMAC", "GFLOP/s", *(["zeros %", "skipped %"] if zeros else [])], rows, left=3)]
        if d["layers_batch"] != d["batch"]:
            lines.append(f"(one of {d['dp']} slices, with {d['layers_batch']} of the batch's {d['batch']})")
        lines.append("")
    speed = f", {d['gflops']:.1f} GFLOP/s" if d["gflops"] else ""
    lines.append(f"forward of batch {d['batch']}: median {d['median_ms']:.3f} ms, minimum {d['min_ms']:.3f} ms over {d['iterations']} "
                 f"iterations{speed}")
    if d["layers"] and d["weight_sparsity"]["zeros"]:
        lines.append(in_words(d["weight_sparsity"]))
    if d["pipelines"] * d["dp"] > 1:
        lines.append(f"{d['pipelines']} pipelines with {d['dp']} slices on {d['mp']} cores each: {d['forwards_per_second']:.2f} forwards per second")
    lines.append(f"{d['time']} on {d['device']} with {d['threads']} threads, {d['precision']}, weights: {d['weights']}; first forward with "
                 f"compilation: {d['compile_seconds']:.2f} s")
    mebi = {k: v / 2**20 for k, v in d["memory"].items()}
    lines.append(f"values: {mebi['peak']:.1f} MiB at the peak, {mebi['activations']:.1f} MiB if every blob had its own memory; weights: "
                 f"{mebi['weights']:.1f} MiB in Caffe's form, "
                 f"{mebi['packed']:.1f} MiB as the kernels read them")
    if d["precision"] == "fp16":
        lines.append("fp16: weights are stored as halves; values between layers are rounded to halves and lie in 32-bit words, which the caches hold "
                     "at small batches")
    return "\n".join(lines)

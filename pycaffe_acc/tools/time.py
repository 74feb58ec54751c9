"""`time`: how long a forward takes, and where."""
from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from cnml.executable import Timing
from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.net import Net
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, open_net, positive

NAME = "time"
HELP = "median and minimum time of a forward, and a table by layer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, engine, number of iterations."""
    add_model(parser, weights_required=False)
    add_engine(parser)
    parser.add_argument("--iterations", type=positive, default=20, metavar="N", help="timed forwards (default 20)")
    parser.add_argument("--no-fusion", action="store_true", help="show every layer alone in the table (the times above it stay those of the fused "
                        "net)")
    parser.add_argument("--no-layers", action="store_true", help="leave out the table by layer")


def run(args: argparse.Namespace) -> int:
    """Compile, time forwards, time operators."""
    check_engine(args)
    net = open_net(args)
    if args.weights is None:
        fill_seeded(net)
    fill_inputs(net)
    start = time.perf_counter()
    net.forward()
    compile_seconds = time.perf_counter() - start
    times = time_forwards(net, args.iterations)
    memory = net.memory()
    layers = [] if args.no_layers else net.profile(args.iterations, fusion=not args.no_fusion)
    document = _document(args, net, compile_seconds, times, layers) | {"memory": memory}
    emit(args, document, _text(document))
    return 0


def fill_inputs(net: Net, seed: int = 0) -> None:
    """Seeded noise in the inputs, so that no shortcut for zeros can flatter the time."""
    rng = np.random.default_rng(seed)
    for name in net.inputs:
        blob = net.blobs[name]
        blob.data[...] = rng.standard_normal(blob.shape, dtype=np.float32)


def time_forwards(net: Net, iterations: int) -> list[float]:
    """Milliseconds of each forward, after one that is not counted."""
    net.forward()
    times = []
    for _ in range(iterations):
        start = time.perf_counter()
        net.forward()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def _document(args: argparse.Namespace, net: Net, compile_seconds: float, times: list[float], layers: list[Timing]) -> dict[str, Any]:
    median = statistics.median(times)
    macs = sum(t.macs for t in layers)
    rows = [{"name": t.name, "type": t.kind, "kernel": t.note, "ms": t.milliseconds, "macs": t.macs, "gflops": _gflops(t.macs, t.milliseconds)}
            for t in layers]
    return {"model": args.model, "weights": args.weights or "seeded random values", "precision": args.precision, "device": args.device,
            "time": "measured",
            "batch": net.blobs[net.inputs[0]].shape[0] if net.inputs and net.blobs[net.inputs[0]].shape else None, "threads": net.threads,
            "iterations": len(times), "median_ms": median, "min_ms": min(times), "compile_seconds": compile_seconds, "macs": macs if layers else None,
            "gflops": _gflops(macs, median) if layers else None, "layers": rows, "environment": environment()}


def _gflops(macs: int, milliseconds: float) -> float | None:
    return 2e-6 * macs / milliseconds if macs and milliseconds > 0 else None


def _text(d: dict[str, Any]) -> str:
    lines = []
    if d["layers"]:
        total = sum(r["ms"] for r in d["layers"])
        rows = [[r["name"], r["type"], r["kernel"], f"{r['ms']:.3f}", f"{100 * r['ms'] / total:.1f}" if total else "-",
                 f"{r['macs'] / 1e6:.2f}" if r["macs"] else "-", r["gflops"]] for r in d["layers"]]
        lines += [table(["layer", "type", "kernel", "ms", "%", "MMAC", "GFLOP/s"], rows, left=3), ""]
    speed = f", {d['gflops']:.1f} GFLOP/s" if d["gflops"] else ""
    lines.append(f"forward of batch {d['batch']}: median {d['median_ms']:.3f} ms, minimum {d['min_ms']:.3f} ms over {d['iterations']} "
                 f"iterations{speed}")
    lines.append(f"measured on {d['device']} with {d['threads']} threads, {d['precision']}, weights: {d['weights']}; first forward with compilation: "
                 f"{d['compile_seconds']:.2f} s")
    mebi = {k: v / 2**20 for k, v in d["memory"].items()}
    lines.append(f"values: {mebi['peak']:.1f} MiB at the peak, {mebi['activations']:.1f} MiB if every blob had its own memory; weights: "
                 f"{mebi['weights']:.1f} MiB in Caffe's form, "
                 f"{mebi['packed']:.1f} MiB as the kernels read them")
    if d["precision"] == "fp16":
        lines.append("fp16: weights are stored as halves; values between layers are rounded to halves and lie in 32-bit words, which the caches hold "
                     "at small batches")
    return "\n".join(lines)

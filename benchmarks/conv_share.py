"""The convolutions of a network in sum, as a share of one core's multiply-add limit: all direct, and as the choice has them (Winograd where it wins).

    python benchmarks/conv_share.py [net ...] [--precision int8] [--batch N] [--rounds N] [--from-memory] [--json FILE]

Nets are the files of `benchmarks/shapes`; ResNet-50 and VGG16 if none is named. Both lines count the operations of the direct convolution. The limit
and every layer are timed in turn, in processor time, and the best round counts: other load on the machine then lowers both. Layers run again on
the same data; with --from-memory a large array and the layer's input are read before each run, so that weights come from memory as in a whole
network.
"""
from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from conv_layers import SHAPES, read_shapes, seconds
from conv_qs8 import both_qs8
from peers_limits import Limits
from winograd_f32 import EVICTED, Candidate, direct, operations, winograd

from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_choice import choose_winograd
from pycaffe_acc.environment import cpu_name


def time_once(candidate: Candidate, from_memory: bool) -> float:
    """Seconds of one run; without `from_memory` the better of two in a row."""
    if from_memory:
        return candidate.seconds(1)
    return min(sum(seconds(run, 1) for run in candidate.runs) for _ in range(2))


def both(name: str, shape: Conv2dShape, precision: str) -> tuple[Candidate, Candidate]:
    """The direct kernel, and what the choice takes."""
    if precision == "int8":
        return both_qs8(shape)
    plain, form = direct(name, shape, 1), choose_winograd(shape).form
    return plain, winograd(shape, form, 1) if form else plain


def measure(net: str, batch: int, rounds: int, from_memory: bool, precision: str = "fp32") -> dict[str, Any]:
    """Both lines of a network."""
    layers = [(count, shape, *both(name, shape, precision)) for name, count, shape in read_shapes(net, batch)]
    limits, limit = Limits(1, precision=precision), 0.0
    best = {id(c): math.inf for _, _, *pair in layers for c in pair}
    for _ in range(rounds):
        limit = max(limit, *(limits.multiply_add_gflops() for _ in range(3)))
        for _, _, *pair in layers:
            for c in {id(c): c for c in pair}.values():
                best[id(c)] = min(best[id(c)], time_once(c, from_memory))
    work = sum(count * operations(shape) for count, shape, _, _ in layers)
    found: dict[str, Any] = {"net": net, "precision": precision, "batch": batch, "gflop": 1e-9 * work, "limit_gflops": limit,
                             "from_memory": from_memory, "cpu": cpu_name(),
                             "winograd_layers": sum(count for count, _, a, b in layers if a is not b),
                             "layers": sum(count for count, *_ in layers)}
    for way, at in (("direct", 2), ("chosen", 3)):
        time = sum(row[0] * best[id(row[at])] for row in layers)
        found[way] = {"ms": 1e3 * time, "gflops": 1e-9 * work / time, "share": 1e-9 * work / time / limit}
    return found


def lines(found: dict[str, Any]) -> str:
    """Two lines for people."""
    head = (f"{found['net']}, batch {found['batch']}, {found['layers']} convolutions, {found['gflop']:.2f} GFLOP, "
            f"limit {found['limit_gflops']:.1f} GFLOP/s")
    words = {"direct": "all direct", "chosen": f"as chosen, {found['winograd_layers']} by Winograd"}
    return head + "".join(f"\n  {words[w]:32}{found[w]['ms']:9.2f} ms {found[w]['gflops']:8.1f} GFLOP/s {found[w]['share']:7.1%} of the limit"
                          for w in ("direct", "chosen"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=["resnet50", "vgg16"], metavar="net", help=", ".join(sorted(p.stem for p in SHAPES.glob("*.txt"))))
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--from-memory", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    EVICTED[...] = 1
    document = []
    for net in options.nets:
        document.append(measure(net, options.batch, options.rounds, options.from_memory, options.precision))
        print(lines(document[-1]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

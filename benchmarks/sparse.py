"""Sparse convolution kernels against dense ones, layer by layer and in sum, over the share of zeros in the weights.

    python benchmarks/sparse.py [net ...] [--precision fp32|int8] [--zeros 0,0.5,…] [--batch N] [--rounds N] [--layers] [--json FILE] [--plot FILE]

Nets are the files of `benchmarks/shapes`; ResNet-50 and VGG16 if none is named. Zeros lie anywhere in seeded random weights, in INT8 in
blocks of four input channels. All ways of a layer run in turn, on one thread, in processor time, and the best round of each counts: other load on the
machine then lowers all alike. Sums are over the convolutions of the net; layers that no sparse kernel runs, and first layers of three channels, which
pruning leaves alone, stay dense in every column. Ways:

- direct: the dense direct convolution;
- dense: what is chosen without zeros, Winograd where that is faster;
- sparse: the sparse kernels wherever they can run;
- chosen: sparse or dense for each layer, as the choice by estimated cost has it.

"of the limit" is the share of the multiply-add limit that the sparse layers reach with the products they do compute.
"""
from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conv_layers import SHAPES, read_shapes, seconds
from peers_limits import Limits
from sparse_layers import Run, SparseLayer, make_f32
from sparse_layers_qs8 import make_qs8

from cnml.kernels.conv_shape import Conv2dShape
from cnrt.whole_file import whole_file
from pycaffe_acc.environment import cpu_name

ZEROS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.875, 0.9, 0.95)
#: precision → what makes a layer of a shape
MAKERS: dict[str, Callable[[str, int, Conv2dShape, list[float]], SparseLayer]] = {"fp32": make_f32, "int8": make_qs8}


def time_layer(layer: SparseLayer, rounds: int) -> dict[str, Any]:
    """Seconds of each way of a layer."""
    ways: dict[Any, list[Run]] = {"direct": layer.direct, "dense": layer.best} | {("sparse", s): runs for s, runs in layer.sparse.items()}
    best = dict.fromkeys(ways, math.inf)
    for _ in range(rounds):
        for way, runs in ways.items():
            best[way] = min(best[way], *(sum(seconds(run, 1) for run in runs) for _ in range(2)))
    return {"name": layer.name, "count": layer.count, "macs": layer.macs, "direct_ms": 1e3 * best["direct"], "dense_ms": 1e3 * best["dense"],
            "sparse_ms": {str(s): 1e3 * best["sparse", s] for s in layer.sparse}, "chosen": {str(s): c for s, c in layer.chosen.items()}}


def in_sum(layers: list[dict[str, Any]], share: float, gflops: float) -> dict[str, Any]:
    """The net's convolutions at a share of zeros."""
    key, total = str(share), dict.fromkeys(("direct", "dense", "sparse", "chosen"), 0.0)
    worst, work, time = 0.0, 0.0, 0.0
    for layer in layers:
        dense, sparse = layer["dense_ms"], layer["sparse_ms"].get(key, layer["dense_ms"])
        chosen = sparse if layer["chosen"][key] else dense
        for way, ms in (("direct", layer["direct_ms"]), ("dense", dense), ("sparse", sparse), ("chosen", chosen)):
            total[way] += layer["count"] * ms
        worst = max(worst, chosen / dense)
        if key in layer["sparse_ms"]:
            work, time = work + layer["count"] * layer["macs"] * (1.0 - share), time + layer["count"] * sparse
    found: dict[str, Any] = {"zeros": share, **{f"{way}_ms": ms for way, ms in total.items()}}
    return found | {"sparse_to_direct": total["direct"] / total["sparse"], "chosen_to_direct": total["direct"] / total["chosen"],
                    "chosen_to_dense": total["dense"] / total["chosen"], "worst_layer": worst, "layers_sparse":
                    sum(layer["count"] for layer in layers if layer["chosen"][key]),
                    "dense_equivalent_gflops": 2e-6 * sum(layer["count"] * layer["macs"] for layer in layers) / total["chosen"],
                    "of_limit": 2e-6 * work / time / gflops if time else None}


def measure(net: str, shares: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """A network's layers and sums."""
    limits, layers, gflops = Limits(1, precision=options.precision), [], 0.0
    for name, count, shape in read_shapes(net, options.batch):
        layers.append(time_layer(MAKERS[options.precision](name, count, shape, shares), options.rounds))
        gflops = max(gflops, *(limits.multiply_add_gflops() for _ in range(3)))
        if options.layers:
            print(layer_line(layers[-1], shares), flush=True)
    return {"net": net, "precision": options.precision, "batch": options.batch, "cpu": cpu_name(), "limit_gflops": gflops,
            "sums": [in_sum(layers, s, gflops) for s in shares], "layers": layers}


def layer_line(layer: dict[str, Any], shares: list[float]) -> str:
    """One layer for people: times by the dense kernels, then dense by sparse at each share; a star where sparse is chosen."""
    cells = " ".join(f"{s:g}: {layer['dense_ms'] / layer['sparse_ms'][str(s)]:.2f}{'*' * layer['chosen'][str(s)]}" for s in shares
                     if str(s) in layer["sparse_ms"])
    return f"{layer['name']:24}{layer['count']:3} direct {layer['direct_ms']:.3f} dense {layer['dense_ms']:.3f} ms; dense/sparse {cells}"


def lines(found: dict[str, Any]) -> str:
    """A table for people."""
    head = (f"{found['net']}, {found['precision']}, batch {found['batch']}, one thread, {found['cpu']}, limit {found['limit_gflops']:.0f} G/s; "
            f"direct {found['sums'][0]['direct_ms']:.2f} ms, dense {found['sums'][0]['dense_ms']:.2f} ms\n"
            " zeros  sparse ms  chosen ms  direct/sparse  direct/chosen  dense/chosen  worst layer  sparse layers  of the limit")
    rows = [f"{s['zeros']:6.3f} {s['sparse_ms']:10.2f} {s['chosen_ms']:10.2f} {s['sparse_to_direct']:14.2f} {s['chosen_to_direct']:14.2f} "
            f"{s['chosen_to_dense']:13.2f} {s['worst_layer']:12.3f} {s['layers_sparse']:14} {s['of_limit'] or 0:13.1%}" for s in found["sums"]]
    return "\n".join([head, *rows])


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=["resnet50", "vgg16"], metavar="net", help=", ".join(sorted(p.stem for p in SHAPES.glob("*.txt"))))
    parser.add_argument("--precision", choices=sorted(MAKERS), default="fp32")
    parser.add_argument("--zeros", default=",".join(map(str, ZEROS)), help="shares, with commas between (default %(default)s)")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--layers", action="store_true", help="a line for each layer")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="a picture (.png or .svg)")
    options = parser.parse_args()
    shares = [float(s) for s in options.zeros.split(",")]
    if not all(0.0 <= s < 1.0 for s in shares):
        parser.error(f"--zeros {options.zeros}: shares of zeros must be in [0, 1)")
    document = []
    for net in options.nets:
        document.append(measure(net, shares, options))
        print(lines(document[-1]), flush=True)
    if options.json is not None:
        with whole_file(options.json) as part:
            Path(part).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.plot is not None:
        from sparse_plots import plot_sparse
        plot_sparse(document, options.plot)


if __name__ == "__main__":
    main()

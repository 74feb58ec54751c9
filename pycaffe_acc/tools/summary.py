"""`summary`: shapes, parameters, multiply-accumulates, memory and zeros of each layer."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnml.sparsity import Sparsity
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.net_sparsity import as_fields, in_total, sparsity_by_operator
from pycaffe_acc.summary import layer_sizes
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import positive, set_batch

NAME = "summary"
HELP = "table of layers: shapes, parameters, multiply-accumulates, memory, zeros in the weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prototxt, weights and a batch."""
    parser.add_argument("model", metavar="P", help="net description (.prototxt)")
    parser.add_argument("--weights", metavar="W", help="trained weights: shows how many are zero, and how many of them sparse kernels skip")
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one forward (default: the prototxt's)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")


def run(args: argparse.Namespace) -> int:
    """Build the net and print its table."""
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "prototxt")
    net = Net(args.model, TEST, vendor_exact=args.vendor_exact)
    if args.batch is not None:
        set_batch(net, args.batch)
    zeros = _zeros(args, net)
    sizes = [s for s in layer_sizes(net) if s.type != "Split"]
    totals = {"parameters": sum(s.parameters for s in sizes), "macs": sum(s.macs for s in sizes), "top_bytes": sum(s.top_bytes for s in sizes)}
    document = {"model": args.model, "name": net.name, "inputs": {n: list(net.blobs[n].shape) for n in net.inputs}, "outputs": net.outputs, **totals,
                "weight_sparsity": as_fields(in_total(list(zeros.items()))) if args.weights else None,
                "layers": [s._asdict() | {"tops": {n: list(shape) for n, shape in s.tops.items()},
                                          "weight_sparsity": as_fields(zeros[s.name]) if s.name in zeros else None} for s in sizes]}
    rows = [[s.name, s.type, " ".join("x".join(map(str, shape)) or "scalar" for shape in s.tops.values()), s.parameters or "-",
             f"{s.macs / 1e6:.2f}" if s.macs else "-",
             f"{s.top_bytes / 1024:.0f}" if s.top_bytes else "-", *(_shares(zeros.get(s.name)) if args.weights else [])] for s in sizes]
    text = table(["layer", "type", "tops", "parameters", "MMAC", "KiB", *(["zeros %", "skipped %"] if args.weights else [])], rows, left=3)
    text += (f"\n\n{net.name or args.model}: {len(sizes)} layers, {totals['parameters']:,} parameters ({4 * totals['parameters'] / 2**20:.1f} MiB "
             "in fp32), "
             f"{totals['macs'] / 1e9:.3f} GMAC, {totals['top_bytes'] / 2**20:.1f} MiB of blobs")
    if args.weights:
        total = in_total(list(zeros.items()))
        text += f"\nweights: {100 * total.achieved:.1f} % zeros, {100 * total.exploited:.1f} % skipped by sparse kernels"
    emit(args, document, text)
    return 0


def _zeros(args: argparse.Namespace, net: Net) -> dict[str, Sparsity]:
    """By layer, for the weights that were given; nothing without."""
    found: dict[str, Sparsity] = {}
    if args.weights:
        if not Path(args.weights).is_file():
            raise MissingFileError(args.weights, "weights")
        net.copy_from(args.weights)
        for name, sparsity in sparsity_by_operator(net, fusion=False):
            found[name] = sparsity + found.get(name, Sparsity())
    return found


def _shares(sparsity: Sparsity | None) -> list[str]:
    return ["-", "-"] if sparsity is None else [f"{100 * share:.1f}" for share in (sparsity.achieved, sparsity.exploited)]

"""`summary`: shapes, parameters, multiply-accumulates and memory of each layer."""
from __future__ import annotations

import argparse
from pathlib import Path

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.summary import layer_sizes
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import positive, set_batch

NAME = "summary"
HELP = "table of layers: shapes, parameters, multiply-accumulates, memory"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prototxt and a batch."""
    parser.add_argument("model", metavar="P", help="net description (.prototxt)")
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one forward (default: the prototxt's)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")


def run(args: argparse.Namespace) -> int:
    """Build the net and print its table."""
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "prototxt")
    net = Net(args.model, TEST, vendor_exact=args.vendor_exact)
    if args.batch is not None:
        set_batch(net, args.batch)
    sizes = [s for s in layer_sizes(net) if s.type != "Split"]
    totals = {"parameters": sum(s.parameters for s in sizes), "macs": sum(s.macs for s in sizes), "top_bytes": sum(s.top_bytes for s in sizes)}
    document = {"model": args.model, "name": net.name, "inputs": {n: list(net.blobs[n].shape) for n in net.inputs}, "outputs": net.outputs, **totals,
                "layers": [s._asdict() | {"tops": {n: list(shape) for n, shape in s.tops.items()}} for s in sizes]}
    rows = [[s.name, s.type, " ".join("x".join(map(str, shape)) or "scalar" for shape in s.tops.values()), s.parameters or "-",
             f"{s.macs / 1e6:.2f}" if s.macs else "-",
             f"{s.top_bytes / 1024:.0f}" if s.top_bytes else "-"] for s in sizes]
    text = table(["layer", "type", "tops", "parameters", "MMAC", "KiB"], rows, left=3)
    text += (f"\n\n{net.name or args.model}: {len(sizes)} layers, {totals['parameters']:,} parameters ({4 * totals['parameters'] / 2**20:.1f} MiB "
             "in fp32), "
             f"{totals['macs'] / 1e9:.3f} GMAC, {totals['top_bytes'] / 2**20:.1f} MiB of blobs")
    emit(args, document, text)
    return 0

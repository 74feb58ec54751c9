"""`create_fake_caffemodel`: weights for a net that has none, by the vendor's recipe."""
from __future__ import annotations

import argparse
from pathlib import Path

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.console import emit
from pycaffe_acc.vendor_fake_weights import SEED, fill_vendor_fake

NAME = "create_fake_caffemodel"
HELP = "write a caffemodel with the vendor's untrained weights for a prototxt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files."""
    parser.add_argument("model", metavar="IN", type=Path, help="net description (.prototxt)")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .caffemodel")


def run(args: argparse.Namespace) -> int:
    """Build, fill, write."""
    if not args.model.is_file():
        raise MissingFileError(args.model, "prototxt")
    net = Net(str(args.model), TEST, vendor_exact=True)
    fill_vendor_fake(net)
    net.save(args.target)
    layers = sum(bool(layer.blobs) for layer in net.layers)
    values = sum(blob.count for layer in net.layers for blob in layer.blobs)
    emit(args, {"model": str(args.model), "target": str(args.target), "seed": SEED, "layers": layers, "parameters": values},
         f"wrote {args.target}: {values:,} seeded parameters of {layers} layers")
    return 0

"""`caffemodel2prototxt`: the net that a caffemodel holds, as text and without its weights."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.text_format import format_message
from pycaffe_acc.tools.console import emit
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights import read_caffemodel

NAME = "caffemodel2prototxt"
HELP = "write the net of a caffemodel as prototxt, without weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files."""
    parser.add_argument("source", metavar="IN", type=Path, help="the .caffemodel")
    parser.add_argument("target", metavar="OUT", type=Path, help="the prototxt")


def run(args: argparse.Namespace) -> int:
    """Read, drop weights and phases, write."""
    message = upgrade_net(read_caffemodel(args.source))
    blobs = 0
    for layer in message.layer:
        blobs += len(layer.blobs)
        layer.ClearField("blobs")
        layer.ClearField("phase")  # that of the net that was saved; a prototxt is for every phase
    with whole_file(args.target) as part:
        part.write_bytes(format_message(message).encode())
    emit(args, {"source": str(args.source), "target": str(args.target), "layers": len(message.layer), "blobs": blobs},
         f"wrote {args.target}: {len(message.layer)} layers; their {blobs} weight blobs were left out")
    return 0

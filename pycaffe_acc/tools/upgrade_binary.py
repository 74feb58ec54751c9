"""`upgrade_net_proto_binary`: a caffemodel of an older Caffe in today's form, weights included."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.tools.console import emit
from pycaffe_acc.upgrade import generation, needs_upgrade, upgrade_net
from pycaffe_acc.weights import read_caffemodel

NAME = "upgrade_net_proto_binary"
HELP = "write a caffemodel in today's form"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files."""
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)


def run(args: argparse.Namespace) -> int:
    """Read, upgrade, write."""
    message = read_caffemodel(args.source)
    was, changed = generation(message), needs_upgrade(message)
    with whole_file(args.target) as part:
        part.write_bytes(upgrade_net(message).SerializeToString())
    emit(args, {"source": str(args.source), "target": str(args.target), "generation": was, "changed": changed},
         f"wrote {args.target}: " + (f"upgraded from {was}" if changed else "it was in today's form already"))
    return 0

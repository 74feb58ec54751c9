"""`upgrade_net_proto_text`: a prototxt of an older Caffe in today's form."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.tools.console import emit
from pycaffe_acc.upgrade import generation, needs_upgrade, upgrade_net

NAME = "upgrade_net_proto_text"
HELP = "write a prototxt in today's form"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files."""
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)


def run(args: argparse.Namespace) -> int:
    """Read, upgrade, write."""
    message = read_net(args.source).message
    was, changed = generation(message), needs_upgrade(message)
    with whole_file(args.target) as part:
        part.write_bytes(format_message(upgrade_net(message)).encode())
    emit(args, {"source": str(args.source), "target": str(args.target), "generation": was, "changed": changed},
         f"wrote {args.target}: " + (f"upgraded from {was}" if changed else "it was in today's form already"))
    return 0

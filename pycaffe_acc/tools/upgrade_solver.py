"""`upgrade_solver_proto_text`: a solver of an older Caffe in today's form."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import format_message, read_message
from pycaffe_acc.tools.console import emit
from pycaffe_acc.upgrade import upgrade_solver

NAME = "upgrade_solver_proto_text"
HELP = "write a solver prototxt in today's form: solver_type as type, nets inside it upgraded"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two files."""
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)


def run(args: argparse.Namespace) -> int:
    """Read, upgrade, write."""
    message = read_message(args.source, caffe_pb2.SolverParameter).message
    before = message.SerializeToString(deterministic=True)
    changed = upgrade_solver(message).SerializeToString(deterministic=True) != before
    with whole_file(args.target) as part:
        part.write_bytes(format_message(message).encode())
    emit(args, {"source": str(args.source), "target": str(args.target), "type": message.type, "changed": changed},
         f"wrote {args.target}: " + (f"upgraded, the solver's type is {message.type}" if changed else "it was in today's form already"))
    return 0

"""`set_sparse`: a prototxt whose convolutions and fully connected layers are marked for pruning."""
from __future__ import annotations

import argparse
import re
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.prune.sparse_net import mark_sparse
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.upgrade import upgrade_net

NAME = "set_sparse"
HELP = "write MODEL.sparse: the net with every Convolution and InnerProduct layer marked for pruning"

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prototxt and a number."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="net description (.prototxt)")
    parser.add_argument("sparsity", metavar="SPARSITY", help="share of the weights that become zero, at least 0 and less than 1")


def run(args: argparse.Namespace) -> int:
    """Read, mark, write beside the original."""
    sparsity = leading_number(args.sparsity)
    message = upgrade_net(read_net(args.model).message)
    marked = mark_sparse(message, sparsity)
    target = args.model.with_name(args.model.name + ".sparse")
    with whole_file(target) as part:
        part.write_bytes(format_message(message).encode())
    if not 0 <= sparsity < 1 or not _NUMBER.fullmatch(args.sparsity):
        note(f"the sparsity '{args.sparsity}' was written as {sparsity:g}, as the vendor's tool does; convert_caffemodel takes numbers of at least 0 "
             "and less than 1")
    emit(args, {"source": str(args.model), "target": str(target), "sparsity": sparsity, "layers": marked},
         f"wrote {target}: sparsity {sparsity:g} in {len(marked)} layers")
    return 0


def leading_number(text: str) -> float:
    """The decimal number that a text begins with, as C's atof reads it; 0 where there is none."""
    match = _NUMBER.match(text)
    return float(match[0]) if match else 0.0

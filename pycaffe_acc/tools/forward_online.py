"""`test_forward_online`: a net in one of the vendor's modes on random numbers, its results in a file."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.runners.random_input import random_inputs, values_text
from pycaffe_acc.tools.card_flags import card_mode
from pycaffe_acc.tools.console import emit

NAME = "test_forward_online"
HELP = "run a net in mode CPU, MLU or MFUS on random numbers and write its results"

_MODES = ("CPU", "MLU", "MFUS")
#: stands for a file that is not wanted
_NONE = "NULL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, mode, core, files."""
    parser.add_argument("model", metavar="PROTOTXT")
    parser.add_argument("weights", metavar="CAFFEMODEL")
    parser.add_argument("mode", metavar="MODE", type=int, choices=range(len(_MODES)), help="0 CPU, 1 MLU, 2 MFUS")
    parser.add_argument("core", metavar="CORE", help="MLU100, 1H16, 1H8 or MLU270")
    parser.add_argument("output", metavar="OUT", help="text, a value a line: the outputs in turn; NULL for none")
    parser.add_argument("addresses", metavar="ADDRESSES", nargs="?", default=_NONE, help="text: each blob and where its values lie")
    parser.add_argument("sizes", metavar="SIZES", nargs="?", default=_NONE, help="text: each blob and its number of bytes")


def run(args: argparse.Namespace) -> int:
    """Run and write; files have their names only when they are whole."""
    flags = {"mmode": _MODES[args.mode], "mcore": args.core, "mreshape": "SETUPONLY", "mludevice": 0, "data_parallel": 1, "model_parallel": 1}
    with card_mode(flags):
        net = Net(args.model, TEST, weights=args.weights)
        for name, values in zip(net.inputs, random_inputs([net.blobs[n].shape for n in net.inputs]), strict=True):
            net.blobs[name].data[...] = values
        results = net.forward()
        _write(args.output, values_text(results[n] for n in net.outputs))
        _write(args.addresses, "".join(f"{n} {b.plain_memory().address:#x}\n" for n, b in net.blobs.items()))
        _write(args.sizes, "".join(f"{n} {4 * b.count}\n" for n, b in net.blobs.items()))
    rows = [{"output": n, "shape": list(results[n].shape)} for n in net.outputs]
    emit(args, {"file": None if args.output == _NONE else args.output, "mode": _MODES[args.mode], "outputs": rows},
         "\n".join(f"{r['output']} {tuple(r['shape'])}" for r in rows))
    return 0


def _write(name: str, text: str) -> None:
    if name != _NONE:
        with whole_file(Path(name)) as part:
            part.write_text(text, encoding="utf-8")

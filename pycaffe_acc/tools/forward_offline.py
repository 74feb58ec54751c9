"""`test_forward_offline`: functions of an offline model on random numbers, their results in a file."""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cnrt import device as devices
from cnrt.data_desc import TensorSpec
from cnrt.model import Model
from cnrt.model_runner import ModelRunner
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.runners.offline_engine import card_kind, load_model, raise_stack
from pycaffe_acc.runners.random_input import random_inputs, values_text
from pycaffe_acc.tools.console import emit

NAME = "test_forward_offline"
HELP = "run functions of an offline model on random numbers and write their results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, output, symbols."""
    parser.add_argument("model", metavar="MODEL.cambricon")
    parser.add_argument("output", metavar="OUT", type=Path, help="text, a value a line: the outputs of each function in turn")
    parser.add_argument("functions", metavar="FUNCTION", nargs="+", help="subnet0, subnet1, ...")


def run(args: argparse.Namespace) -> int:
    """Run and write; the file has its name only when it is whole."""
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "offline model")
    before = devices.chosen_device()
    model = load_model(args.model)
    try:
        devices.set_current_device(devices.get(card_kind(model)))
        raise_stack(model)
        found = [(name, *result) for name in args.functions for result in _results(model, name)]
    finally:
        devices.set_current_device(before)
    with whole_file(args.output) as part:
        part.write_text(values_text(values for _, _, values in found), encoding="utf-8")
    rows = [{"function": name, "output": spec.name, "shape": list(spec.shape)} for name, spec, _ in found]
    emit(args, {"file": str(args.output), "outputs": rows},
         "\n".join([*(f"{r['function']}: {r['output']} {tuple(r['shape'])}" for r in rows), f"wrote {args.output}"]))
    return 0


def _results(model: Model, name: str) -> list[tuple[TensorSpec, np.ndarray]]:
    runner = ModelRunner(model, name)
    return list(zip(runner.outputs, runner.run(random_inputs([t.shape for t in runner.inputs])), strict=True))

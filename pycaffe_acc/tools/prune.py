"""`prune`: a net and a share of zeros → a sparse net."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from tqdm import tqdm

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.dataset import open_dataset
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.net import Net
from pycaffe_acc.prune.channel_net import ChannelPruner
from pycaffe_acc.prune.prune_net import PrunedLayer, Pruner, sparsity_of
from pycaffe_acc.prune.sensitivity_file import read_sensitivities, shares_of_table
from pycaffe_acc.prune.sparsity_search import Outcome, search
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode
from pycaffe_acc.tools.model_arguments import image_input, set_batch
from pycaffe_acc.tools.preprocess_arguments import open_preprocess
from pycaffe_acc.tools.prune_arguments import IMAGES, add_prune, check_prune, prune_options
from pycaffe_acc.tools.quantize import batches

NAME = "prune"
HELP = "make weights of a net zero, and mark its sparse layers"

_HEAD = ("layer", "type", "weights", "zeros %", "error", "")
_MOST = 0.95
add_arguments = add_prune


def run(args: argparse.Namespace) -> int:
    """Prune and write."""
    check_prune(args)
    for path, what in ((args.model, "prototxt"), (args.weights, "weights")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    job = _Job(args)
    pruner, outcome = job.bound() if args.max_drop is not None else (job.prune(args.sparsity), None)
    if pruner is not None:
        pruner.save(args.out, args.out_weights)
    document = job.document(pruner, outcome)
    emit(args, document, _text(document, pruner.rows() if pruner else [], outcome))
    return ExitCode.OK if pruner is not None else ExitCode.CHECK_FAILED


class _Job:
    """One run: images, trials and what was done."""

    def __init__(self, args: argparse.Namespace):
        self._args = args
        self._preprocess = open_preprocess(args)
        given = args.dataset or (f"list:{args.images}" if args.images else None)
        self._dataset = None if given is None else open_dataset(given, args.root, self._preprocess.resizer.startswith("pycaffe"))
        self._count = 0 if self._dataset is None else min(args.limit or IMAGES, len(self._dataset))
        self._cached: list[np.ndarray] | None = None

    def _batches(self, pruner: Pruner) -> tuple[str, list[np.ndarray]]:
        """The input blob and the images for it, prepared once."""
        if self._dataset is None:
            return "", []
        blob = image_input(pruner.net)
        if self._cached is None:
            self._cached = list(batches(self._dataset, self._preprocess, pruner.net.blobs[blob].shape, self._count, self._args.batch))
        return blob, self._cached

    def prune(self, sparsity: float) -> Pruner:
        """A net pruned to a sparsity."""
        args = self._args
        pruner = self._open(sparsity)
        blob, images = self._batches(pruner)
        found = None if args.sensitivities is None else shares_of_table(read_sensitivities(args.sensitivities), pruner.candidates, sparsity)
        pruner.apply(found or pruner.shares(blob, images, _progress), blob, images, _progress)
        return pruner

    def _open(self, sparsity: float) -> Pruner:
        args = self._args
        kind = ChannelPruner if args.method == "channel" else Pruner
        return kind(args.model, args.weights, prune_options(args, sparsity), args.threads)

    def bound(self) -> tuple[Pruner | None, Outcome]:
        """Search; the pruned net is None where no sparsity is within the bound."""
        args = self._args
        given = args.validate_dataset or f"list:{args.validate}"
        dataset = open_dataset(given, args.validate_root, self._preprocess.resizer.startswith("pycaffe"))
        kept: dict[float, Pruner] = {}

        def top1(net: Net) -> float:
            set_batch(net, args.batch)
            blob = image_input(net)
            shape = net.blobs[blob].shape
            outcome = evaluate(net, blob, dataset, lambda pixels: self._preprocess.apply(pixels, shape), args.output, Settings(args.validate_limit))
            if outcome.stopped is not None:
                raise outcome.stopped
            return outcome.accuracy.top1

        def measure(sparsity: float) -> float:
            pruner = self.prune(sparsity)
            found = top1(pruner.open())
            note(f"top-1 at sparsity {sparsity:g}: {found:.2f} % ({found - dense:+.2f})")
            if dense - found <= args.max_drop:
                kept.clear()  # smaller sparsities come first or fail
                kept[sparsity] = pruner
            return found
        most = _MOST if args.sparsity is None else args.sparsity
        if not most:
            raise CheckError("--sparsity 0 leaves nothing to search for with --max-drop")
        dense = top1(self._open(most).open(unpruned=True))
        note(f"top-1 before: {dense:.2f} %")
        outcome = search(measure, dense, args.max_drop, most)
        return None if outcome.best is None else kept[outcome.best.sparsity], outcome

    def document(self, pruner: Pruner | None, outcome: Outcome | None) -> dict[str, Any]:
        """For --json."""
        args, rows = self._args, pruner.rows() if pruner else []
        bound = None if outcome is None else {"max_drop": outcome.max_drop, "met": outcome.best is not None, "dense_top1": outcome.dense_top1,
                                              "top1": outcome.best and outcome.best.top1, "trials": [asdict(t) for t in outcome.trials]}
        return {"model": args.model, "output": args.out if pruner else None, "weights": args.out_weights if pruner else None, "method": args.method,
                "sparsity": args.sparsity if outcome is None else outcome.best and outcome.best.sparsity, "compensated": args.compensate,
                "reestimated": args.compensate or args.reestimate, "images": self._count, "preprocess": self._preprocess.describe(),
                "achieved": sparsity_of(rows), "achieved_in_pruned_layers": sparsity_of(rows, pruned_only=True), "bound": bound,
                "layers": [asdict(row) for row in rows]}


def _progress(names: list[str]) -> Iterable[str]:
    return tqdm(names, unit="layers", file=sys.stderr, disable=not sys.stderr.isatty())


def _text(document: dict[str, Any], rows: list[PrunedLayer], outcome: Outcome | None) -> str:
    """For a terminal."""
    lines = []
    if outcome is not None:
        found = (f"sparsity {outcome.best.sparsity:g} with top-1 {outcome.best.top1:.2f} %" if outcome.best else "NO SPARSITY IS WITHIN IT")
        lines.append(f"bound of {outcome.max_drop:g} points below {outcome.dense_top1:.2f} %: {found}, after {len(outcome.trials)} trials")
    if not rows:
        return "\n".join([*lines, "nothing was written"])
    cells = [(row.name, row.type, row.size, f"{100 * row.zeros / max(row.size, 1):.2f}", "" if row.error is None else f"{row.error:.4f}",
              row.left and f"left: {row.left}") for row in rows]
    lines += [table(_HEAD, cells, left=2), "",
              f"wrote {document['output']} and {document['weights']}: method {document['method']}, {100 * document['achieved']:.2f} % of the weights "
              f"of all Convolution and InnerProduct layers are zero, {100 * document['achieved_in_pruned_layers']:.2f} % of the pruned ones"]
    if document["compensated"]:
        lines.append(f"error: what the layer's outputs are off on {document['images']} images, as a share of their squares; preprocessing "
                     f"{document['preprocess']}")
    return "\n".join(lines)

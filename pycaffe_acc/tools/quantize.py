"""`quantize`: a float net and images → a quantized net."""
from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
from tqdm import tqdm

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.feeder import Feeder
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.quantize.accuracy_search import Outcome, search
from pycaffe_acc.quantize.calibration_table import CalibrationTable, read_table
from pycaffe_acc.quantize.keep_float import kept_in_float
from pycaffe_acc.quantize.layer_effects import LayerEffect, layer_effects, net_scores
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import QuantizedLayer, Quantizer, computes_int8, running_layers
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode, UsageError
from pycaffe_acc.tools.model_arguments import image_input, set_batch
from pycaffe_acc.tools.preprocess_arguments import open_preprocess
from pycaffe_acc.tools.quantize_arguments import DTYPES, add_quantize, calibration_options, check_quantize

NAME = "quantize"
HELP = "calibrate a net with images and write it with 8-bit (or 16-bit) parameters"

add_arguments = add_quantize


def run(args: argparse.Namespace) -> int:
    """Calibrate and write."""
    check_quantize(args)
    for path, what in ((args.model, "prototxt"), (args.weights, "weights")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    job = _Job(args)
    layers, seen = job.quantize()
    outcome = job.bound() if args.max_drop is not None else None
    if outcome is not None:
        layers = job.write(set(outcome.kept))
    quantizer = job.quantizer
    quantizer.save(args.out, args.out_weights)
    if args.table is not None:
        ranges = args.method if args.from_table is None else "table"
        CalibrationTable.of(running_layers(quantizer.message), ranges, args.weight_ranges if args.from_table is None else "table").save(args.table)
    document = {"model": args.model, "output": args.out, "weights": args.out_weights, "method": args.method if args.from_table is None else None,
                "table": args.from_table, "dtype": args.dtype, "images": seen, "preprocess": job.preprocess_text, "equalized": job.pairs,
                "bias_correction": args.bias_correction, "weight_rounding": args.weight_rounding,
                "kept_float": job.kept_names(outcome), "layers": [_row(layer) for layer in layers],
                "bound": None if outcome is None else _bound_row(outcome, job)}
    emit(args, document, job.text(document, layers, outcome))
    return ExitCode.OK if outcome is None or outcome.met else ExitCode.CHECK_FAILED


class _Job:
    """One run: the quantizer, its images and what was done."""

    def __init__(self, args: argparse.Namespace):
        self._args = args
        self._preprocess = open_preprocess(args)
        mean, factor = per_channel(self._preprocess) if args.first_convolution else ((), 1.0)
        self._table = None if args.from_table is None else read_table(args.from_table)
        given = args.dataset or (f"list:{args.images}" if args.images else None)
        as_pycaffe = self._preprocess.resizer.startswith("pycaffe")
        self._dataset: Dataset | None = None if given is None else open_dataset(given, args.root, as_pycaffe)
        self.quantizer = Quantizer(args.model, args.weights, find_method(args.method), DTYPES[args.dtype], mean, factor, args.first_convolution,
                                   args.vendor_exact, args.threads, calibration_options(args))
        self._keep = kept_in_float(args.keep_float, self.quantizer.layers)
        self._blob = image_input(self.quantizer.net)
        self._shape = self.quantizer.net.blobs[self._blob].shape
        self._feeding = replace(self._preprocess, mean=None, std=None, scale=1.0) if args.first_convolution else self._preprocess
        self.pairs: list[tuple[str, str]] = []
        self.preprocess_text = self._preprocess.describe() + (" (mean and scale inside the net)" if args.first_convolution else "")
        self._effects: list[LayerEffect] = []

    def _batches(self, limit: int | None = None) -> Iterator[np.ndarray]:
        args, dataset = self._args, self._dataset
        assert dataset is not None  # see check_quantize
        most = min(args.limit or len(dataset), len(dataset))
        count = min(limit or most, most)
        return batches(dataset, self._feeding, self._shape, count, args.batch)

    def quantize(self) -> tuple[list[QuantizedLayer], int]:
        """Everything but the bound; the quantized layers and the number of images."""
        args, quantizer, seen = self._args, self.quantizer, 0
        if args.equalize:
            self.pairs = quantizer.equalize()
        if self._table is None:
            seen = quantizer.calibrate(self._blob, self._batches())
        layers = self.write(())
        if args.weight_rounding == "adaptive":
            quantizer.round_weights(self._blob, self._batches(), centred=args.bias_correction)
        if args.bias_correction:
            quantizer.correct_bias(self._blob, self._batches())
        return layers, seen

    def write(self, more: Collection[int]) -> list[QuantizedLayer]:
        """Fill the message, with more layers in floating point."""
        keep = self._keep | set(more)
        return self.quantizer.finish(keep) if self._table is None else self.quantizer.apply(self._table, keep)

    # ---- the bound --------------------------------------------------------------------------------------------------------------------------

    def bound(self) -> Outcome:
        """Measure, rank, and return layers."""
        args = self._args
        given = args.validate_dataset or f"list:{args.validate}"
        dataset = open_dataset(given, args.validate_root, self._preprocess.resizer.startswith("pycaffe"))
        exact = self._top1(self.quantizer.open("fp32", floating=True), dataset)
        note(f"top-1 in FP32: {exact:.2f} %")

        def measure(kept: Sequence[int]) -> float:
            self.write(kept)
            top1 = self._top1(self.quantizer.open(args.precision), dataset)
            note(f"top-1 in INT8 with {len(kept)} layers returned: {top1:.2f} % ({top1 - exact:+.2f})")
            return top1
        return search(self._ranking, measure, exact, args.max_drop)

    def _top1(self, net: Net, dataset: Dataset) -> float:
        set_batch(net, self._args.batch)
        shape = net.blobs[self._blob].shape
        outcome = evaluate(net, self._blob, dataset, lambda pixels: self._feeding.apply(pixels, shape), self._args.output,
                           Settings(self._args.validate_limit))
        if outcome.stopped is not None:
            raise outcome.stopped
        return outcome.accuracy.top1

    def _ranking(self) -> list[int]:
        """The layers in INT8, those with the greatest effect on the scores first."""
        args, quantizer = self._args, self.quantizer
        images = list(self._batches(args.ranking_subset))
        self.write(())
        indices = [i for i, layer in enumerate(running_layers(quantizer.message)) if computes_int8(layer)]
        reference = net_scores(quantizer.open("fp32", floating=True), self._blob, images, args.output)

        def only(index: int) -> Net:
            self.write(set(range(len(quantizer.layers))) - {index})
            return quantizer.open(args.precision)
        bar = tqdm(indices, unit="layers", file=sys.stderr, disable=not sys.stderr.isatty())
        self._effects = sorted(layer_effects(bar, only, self._blob, images, reference, args.output), key=lambda e: e.sqnr)
        return [effect.index for effect in self._effects if math.isfinite(effect.sqnr)]  # others run in floats anyway: no kernel takes them

    # ---- what is told -----------------------------------------------------------------------------------------------------------------------

    def kept_names(self, outcome: Outcome | None) -> list[str]:
        """Of all layers that stay in floating point on purpose."""
        return [self.quantizer.layers[i].name for i in sorted(self._keep | set(outcome.kept if outcome else ()))]

    def returned(self, outcome: Outcome) -> list[tuple[str, LayerEffect]]:
        """Names and effects of the layers that the bound returned."""
        effects = {e.index: e for e in self._effects}
        return [(self.quantizer.layers[i].name, effects[i]) for i in outcome.kept]

    def text(self, document: dict, layers: list[QuantizedLayer], outcome: Outcome | None) -> str:
        """For a terminal."""
        args, weighted = self._args, sum(layer.weights is not None for layer in layers)
        source = f"method {args.method}" if args.from_table is None else f"table {args.from_table}"
        lines = [f"wrote {args.out}: {args.dtype} by {source}, {weighted} layers with weights and {len(layers) - weighted} without, "
                 f"{document['images']} images", f"preprocessing {document['preprocess']}"]
        if args.equalize:
            lines.append(f"equalized {len(self.pairs)} pairs of layers" + "".join(f"\n  {a} - {b}" for a, b in self.pairs))
        if document["kept_float"]:
            lines.append(f"in floating point: {', '.join(document['kept_float'])}")
        if outcome is not None:
            lines += self._bound_text(outcome)
        return "\n".join(lines)

    def _bound_text(self, outcome: Outcome) -> list[str]:
        verdict = "holds" if outcome.met else "CANNOT BE MET: the best that was found"
        lines = [f"the bound of {outcome.max_drop:g} points {verdict}: top-1 {outcome.float_top1:.2f} % in FP32, {outcome.top1:.2f} % in "
                 f"{self._args.precision} ({-outcome.drop:+.2f}), after {len(outcome.trials)} trials"]
        if outcome.kept:
            lines.append("returned to floating point, by their effect on the scores:")
        return lines + [f"  {name}: {effect.sqnr:.1f} dB, {effect.changed} answers changed" for name, effect in self.returned(outcome)]


def _bound_row(outcome: Outcome, job: _Job) -> dict:
    return {"max_drop": outcome.max_drop, "met": outcome.met, "fp32_top1": outcome.float_top1, "top1": outcome.top1,
            "trials": [{"returned": t.kept, "top1": t.top1} for t in outcome.trials],
            "returned": [{"layer": name, "sqnr_db": e.sqnr, "changed": e.changed} for name, e in job.returned(outcome)]}


def per_channel(preprocess: Preprocess) -> tuple[tuple[float, ...], float]:
    """Mean and factor of a profile, as a first convolution holds them: (x - mean) * factor.

    Raises
    ------
    UsageError
        For a mean image, or a std that differs between channels.
    """
    std = set(preprocess.std or (1.0,))
    if preprocess.mean_image is not None or len(std) != 1:
        raise UsageError("--first-convolution takes one mean a channel and one std for all; this preprocessing has "
                         + ("a mean image" if preprocess.mean_image is not None else f"std {preprocess.std}"))
    factor = preprocess.scale / std.pop()
    if not math.isfinite(factor) or factor == 0:
        raise UsageError(f"--first-convolution: the input would be multiplied by {factor:g}; check --scale and --std")
    return preprocess.mean or (0.0,), factor


def batches(dataset: Dataset, preprocess: Preprocess, shape: tuple[int, ...], count: int, batch: int) -> Iterator[np.ndarray]:
    """Prepared images, `batch` at a time; fewer in the last one.

    Parameters
    ----------
    dataset : Dataset
    preprocess : Preprocess
    shape : tuple of int
        (N, C, H, W) of the net's input.
    count : int
        How many images, from the first.
    batch : int

    Yields
    ------
    (n, C, H, W) float32
    """
    feeder = Feeder(dataset, lambda pixels: preprocess.apply(pixels, shape), (shape[1], shape[2], shape[3]), count, batch, os.cpu_count() or 1)
    parts = iter(feeder)
    with tqdm(total=count, unit="images", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for start in range(0, count, batch):
            wanted = min(batch, count - start)
            rows: list[np.ndarray] = []
            while sum(map(len, rows)) < wanted:
                rows += [part.values for part in islice(parts, 1)]
            bar.update(wanted)
            yield np.concatenate(rows)


def _row(layer: QuantizedLayer) -> dict:
    return {"layer": layer.name, "type": layer.type, "bottoms": [p and p._asdict() for p in layer.bottoms],
            "weights": layer.weights and layer.weights._asdict()}

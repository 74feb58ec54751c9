"""`quantize-report`: where a quantized net loses accuracy."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict

from tqdm import tqdm

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.dataset import open_dataset
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.quantize.report import LayerReport, NetReport, QuantizationReport, finite_db
from pycaffe_acc.quantize.report_plot import check_format, plot_report, pyplot
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import add_model, image_input
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess
from pycaffe_acc.tools.quantize import batches
from pycaffe_acc.tools.quantize_arguments import add_images, add_run

NAME = "quantize-report"
HELP = "per layer of a quantized net: errors, clipping and changed answers, worst first (also: quantize report)"

_HEAD = ("layer", "type", "weights dB", "alone dB", "cumulative dB", "clipped %", "zeroed %", "scores dB", "changed")
_IMAGES = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Both nets, images, picture."""
    add_model(parser)
    parser.add_argument("--quantized", required=True, metavar="Q", help="the prototxt that quantize made of the model")
    parser.add_argument("--quantized-weights", metavar="W2", help="the weights that quantize wrote, if it did")
    add_images(parser, "images (labels are not needed; the list has them anyway)")
    parser.add_argument("--precision", choices=("int8", "mlu"), default="int8", help="mlu: as on the vendor's card (default int8)")
    parser.add_argument("--output", metavar="BLOB", help="the blob that holds the scores (default: the net's only output of that kind)")
    parser.add_argument("--plot", metavar="F", help="draw the report, too (.png, .svg or .pdf; needs the extra report)")
    add_run(parser)
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Compare and report."""
    if (args.images is None) == (args.dataset is None):
        raise UsageError("quantize-report takes its images from --images LIST or --dataset KIND:PATH; give one of them")
    if args.plot is not None:
        check_format(args.plot)
        pyplot()
    for path, what in ((args.model, "prototxt"), (args.weights, "weights"), (args.quantized, "quantized prototxt")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    preprocess = open_preprocess(args)
    dataset = open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe"))
    report = QuantizationReport(args.model, args.weights, args.quantized, args.quantized_weights, args.precision, args.vendor_exact, args.threads)
    blob = image_input(report.net)
    count = min(args.limit or _IMAGES, len(dataset))
    images = list(batches(dataset, preprocess, report.net.blobs[blob].shape, count, args.batch))
    found = report.run(blob, images, args.output, _progress)
    if args.plot is not None:
        plot_report(found, args.plot, os.path.basename(args.quantized))
    document = {"model": args.model, "quantized": args.quantized, "precision": args.precision, "images": found.images, "scores_db": found.scores_db,
                "changed": found.changed, "plot": args.plot, "preprocess": preprocess.describe(), "layers": [asdict(row) for row in found.layers]}
    emit(args, document, text(found))
    return 0


def _progress(indices: list[int]) -> Iterable[int]:
    return tqdm(indices, unit="layers", file=sys.stderr, disable=not sys.stderr.isatty())


def text(report: NetReport) -> str:
    """The report for a terminal."""
    lines = [table(_HEAD, [_cells(row) for row in report.layers], left=2), "",
             f"the whole net: scores {_db(report.scores_db)} dB, {report.changed} of {report.images} first answers changed",
             "alone: the layer in INT8 on the float net's values; cumulative: with all layers before it in INT8 too; clipped: values of its bottom "
             "beyond the largest code;\nzeroed: of its values other than 0, those that become 0; scores and changed: the net's answers with this "
             "layer alone in INT8.\nThe order is that of the sum of alone and scores: far off itself, and felt by the answers"]
    return "\n".join(lines)


def _cells(row: LayerReport) -> tuple[object, ...]:
    return (row.name, row.type, _db(row.weights_db), _db(row.alone_db), _db(row.cumulative_db), f"{row.saturated_percent:.3f}",
            f"{row.zeroed_percent:.2f}", _db(row.scores_db), row.changed)


def _db(value: float) -> str:
    return f"{finite_db(value):.1f}"

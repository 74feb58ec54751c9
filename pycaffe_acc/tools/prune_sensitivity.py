"""`prune-sensitivity`: which layers of a net can lose weights, and how many."""
from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict

from tqdm import tqdm

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.dataset import open_dataset
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sensitivity import Sensitivities, SensitivityScan
from pycaffe_acc.prune.sensitivity_plot import plot_sensitivities
from pycaffe_acc.prune.sparse_filter import check_sparsity
from pycaffe_acc.quantize.report_plot import check_format, pyplot
from pycaffe_acc.tools.console import emit, json_text
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import add_model, image_input
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess
from pycaffe_acc.tools.prune_arguments import add_touched
from pycaffe_acc.tools.quantize import batches
from pycaffe_acc.tools.quantize_arguments import add_images, add_run

NAME = "prune-sensitivity"
HELP = "prune every layer alone to several sparsities: errors of the net's answers and top-1, most sensitive first (also: prune --sensitivity)"

_SPARSITIES = (0.3, 0.5, 0.7, 0.9)
_IMAGES = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, images, method, picture."""
    add_model(parser)
    add_images(parser, f"labelled images (at most {_IMAGES} unless --limit says otherwise)")
    parser.add_argument("--sparsities", type=float, nargs="+", default=list(_SPARSITIES), metavar="S", help="of the layer, growing (default "
                        f"{' '.join(map(str, _SPARSITIES))})")
    parser.add_argument("--method", choices=("magnitude", "block4", "vendor"), default="magnitude", help="as prune's (default magnitude)")
    parser.add_argument("--output", metavar="BLOB", help="the blob that holds the scores (default: the net's only output of that kind)")
    parser.add_argument("--out", metavar="F.json", help="write the scan as JSON, too: `prune --sensitivities` reads it")
    parser.add_argument("--plot", metavar="F", help="draw the scan, too (.png, .svg or .pdf; needs the extra report)")
    add_touched(parser)
    add_run(parser)
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Scan and report."""
    if (args.images is None) == (args.dataset is None):
        raise UsageError("prune-sensitivity takes its images from --images LIST or --dataset KIND:PATH; give one of them")
    if sorted({check_sparsity(s) for s in args.sparsities}) != args.sparsities or args.sparsities[0] == 0:
        raise UsageError(f"--sparsities {' '.join(map(str, args.sparsities))}: they must grow, from more than 0")
    if args.plot is not None:
        check_format(args.plot)
        pyplot()
    for path, what in ((args.model, "prototxt"), (args.weights, "weights")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    preprocess = open_preprocess(args)
    dataset = open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe"))
    options = PruneOptions(args.method, 0.0, tuple(args.keep), args.include_first, args.include_depthwise, vendor_exact=args.vendor_exact)
    scan = SensitivityScan(args.model, args.weights, options, args.threads)
    blob = image_input(scan.net)
    count = min(args.limit or _IMAGES, len(dataset))
    images = list(batches(dataset, preprocess, scan.net.blobs[blob].shape, count, args.batch))
    found = scan.run(blob, images, dataset.labels[:count], args.sparsities, args.output, _progress)
    if args.plot is not None:
        plot_sensitivities(found, args.plot, os.path.basename(args.model))
    document = {"model": args.model, "method": found.method, "images": found.images, "top1": found.top1, "sparsities": list(found.sparsities),
                "plot": args.plot, "preprocess": preprocess.describe(), "layers": [asdict(layer) for layer in found.layers]}
    if args.out is not None:
        with whole_file(args.out) as part:
            part.write_text(json_text(document) + "\n", encoding="utf-8")
    emit(args, document, text(found))
    return 0


def _progress(places: list[int]) -> Iterable[int]:
    return tqdm(places, unit="layers", file=sys.stderr, disable=not sys.stderr.isatty())


def text(found: Sensitivities) -> str:
    """The scan for a terminal, most sensitive layers first."""
    head = ("layer", "type", "weights", *(f"{s:g}: dB" for s in found.sparsities), *(f"{s:g}: top-1" for s in found.sparsities))
    rows = [(layer.name, layer.type, layer.size, *(_cell(v) for v in layer.scores_db), *(f"{v:.2f}" for v in layer.top1))
            for layer in found.worst_first()]
    return "\n".join([table(head, rows, left=2), "",
                      f"{found.images} images, top-1 {found.top1:.2f} % unpruned; each row: that layer alone pruned by {found.method}, "
                      "the net's scores in dB (signal to error) and top-1 in %"])


def _cell(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "exact"

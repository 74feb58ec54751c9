"""`demo`: a small trained net over its test images, with nothing to download."""
from __future__ import annotations

import argparse
import time
from pathlib import Path

from cnml import compile_cache
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.evaluation.report import Report
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.tools import eval
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode
from pycaffe_acc.tools.model_arguments import positive, set_batch
from pycaffe_acc.tools.parallel_arguments import Layout

NAME = "demo"
HELP = "evaluate the embedded net of handwritten digits: accuracy and speed in one table"

FOLDER = Path(__file__).resolve().parents[1] / "demo_data"
BATCHES = (1, 36)
#: PyTorch's top-1 of the same weights on the same images was 99.17 %; less than this is a defect
MIN_TOP1 = 99.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--threads."""
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots (default: the CPUs this process may use)")


def run(args: argparse.Namespace) -> int:
    """Evaluate with small and large batches; 1 when the accuracy is not what it must be."""
    model, weights = FOLDER / "deploy.prototxt", FOLDER / "digits.caffemodel"
    preprocess = preprocess_profile("raw", scale=1 / 255)
    dataset = read_image_list(FOLDER / "test.txt")
    kept = compile_cache.cache_folder()
    if kept is None or not any(kept.rglob("*.nbc")):
        note("the first run on a machine compiles the kernels; later runs load them")
    report: Report | None = None
    for batch in BATCHES:
        options = argparse.Namespace(model="digits", weights=weights.name, precision="fp32", device="host", fifosize=2,
                                     labels=str(FOLDER / "labels.txt"), output=None, dct_scaling=False,
                                     limit=None, decode_threads=None, min_top1=MIN_TOP1)
        start = time.perf_counter()
        net = Net(str(model), TEST, weights=str(weights), threads=args.threads)
        set_batch(net, batch)
        one, stopped = eval.measure(options, Layout(1, 1, 1, False, False), net, dataset, preprocess, time.perf_counter() - start)
        if stopped is not None:
            raise stopped
        if report is None:
            report = one
        else:
            report.add(one.rows[0])
    assert report is not None
    emit(args, report.to_dict(), eval.text(report))
    return ExitCode.OK if all(row.valid for row in report.rows) else ExitCode.CHECK_FAILED

"""`eval`: accuracy and throughput over labelled images, together."""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.dataset import KINDS, Dataset, open_dataset
from pycaffe_acc.evaluation.evaluate import Evaluated, evaluate, score_output
from pycaffe_acc.evaluation.labels import check_labels, read_labels
from pycaffe_acc.evaluation.report import Report, Row
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.tools.calibration import add_calibration, check_calibration, open_calibrated
from pycaffe_acc.tools.comparison import add_comparison, check_comparison, compare
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import ExitCode, NotInThisVersionError, UsageError
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, image_input, open_net, positive
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess
from pycaffe_acc.version import VERSION

NAME = "eval"
HELP = "top-1, top-5, hardware FPS and end-to-end FPS over labelled images"

HEAD = ("model", "precision", "batch", "threads", "images", "top-1 %", "top-5 %", "to FP16", "to FP32", "hardware FPS", "vendor FPS",
        "end-to-end FPS", "p50 ms", "p90 ms", "p99 ms", "valid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, images, engine, preprocessing, bound."""
    add_model(parser)
    add_evaluation(parser)
    add_engine(parser)
    parser.add_argument("--sparsity", type=float, metavar="S", help="planned for a later version")
    parser.add_argument("--dp", type=positive, default=1, metavar="N", help="data parallelism of a virtual card; 1 on the host")
    parser.add_argument("--mp", type=positive, default=1, metavar="N", help="model parallelism of a virtual card; 1 on the host")
    add_calibration(parser)
    add_comparison(parser)


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Images, how they are prepared, and the bound."""
    source = parser.add_argument_group("images")
    source.add_argument("--images", metavar="LIST", help="text file of 'path label' lines")
    source.add_argument("--root", metavar="DIR", help="folder of the list's images (default: the list's)")
    source.add_argument("--dataset", metavar="KIND:PATH", help=f"instead of --images; kinds: {', '.join(KINDS)}")
    source.add_argument("--limit", type=positive, metavar="N", help="only the first N images")
    source.add_argument("--labels", metavar="F", help="names of the classes, one a line; their number is checked")
    parser.add_argument("--output", metavar="BLOB", help="the blob that holds the scores (default: the net's only output of that kind)")
    parser.add_argument("--decode-threads", type=positive, metavar="N", help="threads that decode and prepare images (default: the CPUs this "
                        "process may use)")
    parser.add_argument("--min-top1", type=float, metavar="PERCENT", help="exit with 1 when top-1 is lower")
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and report; 1 when the accuracy bound is missed."""
    check_engine(args)
    _check_arguments(args)
    dataset, preprocess = open_images(args)
    start, calibration = time.perf_counter(), None
    if args.calibration is None:
        net = open_net(args)
    else:
        net, calibration = open_calibrated(args, preprocess)
    load_seconds = time.perf_counter() - start
    report = measure(args, net, dataset, preprocess, load_seconds, calibration)
    if args.compare:
        del net  # its memory is the next one's
        report = compare(args, report, lambda other: measure(other, open_net(other), dataset, preprocess, 0.0).rows[0])
    emit(args, report.to_dict(), text(report))
    return ExitCode.CHECK_FAILED if report.rows[0].valid is False else ExitCode.OK


def _check_arguments(args: argparse.Namespace) -> None:
    check_calibration(args)
    check_comparison(args)
    if args.sparsity not in (None, 0.0):
        raise NotInThisVersionError(f"--sparsity is not in version {VERSION}; pruning is planned for a later version. Leave it out")
    if args.dp * args.mp != 1:
        raise NotInThisVersionError(f"--dp {args.dp} --mp {args.mp} need a virtual accelerator card, which cannot run nets in version {VERSION}; on "
                                    "the host use --threads")


def open_images(args: argparse.Namespace) -> tuple[Dataset, Preprocess]:
    """The labelled images, and how they become a net's input.

    Raises
    ------
    UsageError, CaffeError
    """
    if (args.images is None) == (args.dataset is None):
        raise UsageError("give the labelled images either by --images LIST or by --dataset KIND:PATH")
    preprocess = open_preprocess(args)
    return open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe")), preprocess


def measure(args: argparse.Namespace, net: Evaluated, dataset: Dataset, preprocess: Preprocess, load_seconds: float,
            calibration: dict[str, object] | None = None) -> Report:
    """One row of accuracy and throughput for an open net; `calibration` says how it was quantized just now."""
    source = image_input(net)
    shape = net.blobs[source].shape
    if args.labels is not None:
        check_labels(read_labels(args.labels), net.blobs[score_output(net, args.output)].shape[1], args.labels)
    total = min(args.limit or len(dataset), len(dataset))
    with _progress(total) as bar:
        outcome = evaluate(net, source, dataset, lambda pixels: preprocess.apply(pixels, shape), args.output, args.limit, args.decode_threads,
                           bar.update)
    report = Report(environment(), load_seconds, outcome.compile_seconds, outcome.warmup_seconds)
    configuration: dict[str, Any] = {"weights": str(args.weights), "dataset": dataset.name, "precision": args.precision, "batch": shape[0],
                                     "threads": net.threads, "device": args.device, "dp": args.dp, "mp": args.mp, "sparsity": 0.0,
                                     "preprocess": preprocess.describe(), "calibration": calibration}
    bound = "" if args.min_top1 is None else f"top-1 of at least {args.min_top1:g} %"
    valid = None if args.min_top1 is None else outcome.accuracy.top1 >= args.min_top1
    # a precision is its own yardstick; the distance to the other was not measured
    own: dict[str, Any] = {f"delta_{args.precision}": 0.0} if args.precision in ("fp32", "fp16") else {}
    report.add(Row(str(args.model), configuration, outcome.accuracy, outcome.throughput, bound=bound, valid=valid, **own))
    return report


@contextmanager
def _progress(total: int) -> Iterator[tqdm[Any]]:
    with tqdm(total=total, unit="image", disable=not sys.stderr.isatty(), leave=False) as bar:
        yield bar


def text(report: Report) -> str:
    """The report for a terminal: one table, the time split, the circumstances."""
    pairs = [_row_text(row) for row in report.rows]
    notes = list(dict.fromkeys(note for _, lines in pairs for note in lines))
    notes.append(f"before the clock: load {report.load_seconds:.2f} s, first forward with compilation {report.compile_seconds:.2f} s, "
                 f"second {1e3 * report.warmup_seconds:.1f} ms; {report.environment['cpu']}, {report.environment['cpus_usable']} CPUs")
    return table(HEAD, [cells for cells, _ in pairs]) + "\n\n" + "\n".join(notes)


def _row_text(row: Row) -> tuple[list[object], list[str]]:
    """Cells under `HEAD`, and lines below the table."""
    a, t, c = row.accuracy, row.throughput, row.configuration
    assert a is not None and t is not None
    rates = [f"{v:.1f}" for v in (t.hardware_fps, t.hardware_fps_vendor, t.end_to_end_fps)]
    latencies = [f"{t.latency_ms[p]:.2f}" for p in ("p50", "p90", "p99")]
    deltas = ["-" if points is None else f"{points:+.2f}" for points in (row.delta_fp16, row.delta_fp32)]
    cells = [Path(row.model).name, c["precision"], c["batch"], c["threads"], a.images, f"{a.top1:.2f}", f"{a.top5:.2f}", *deltas, *rates, *latencies,
             {True: "yes", False: "NO", None: "-"}[row.valid]]
    shares = ", ".join(f"{k.replace('_', '-')} {100 * v / t.wall_seconds:.1f} %" for k, v in t.split_seconds.items())
    return cells, [
        f"batch {c['batch']}: wall time {t.wall_seconds:.3f} s: {shares}",
        f"  (decode and preprocess: what the net waited for; their threads worked {t.work_seconds['decode']:.3f} s and "
        f"{t.work_seconds['preprocess']:.3f} s)",
        f"preprocessing {c['preprocess']}",
        *([f"quantized in memory: method {q['method']}, {q['images']} images of {q['dataset']}"] if (q := c.get("calibration")) else []),
        f"times are {'simulated' if t.simulated else 'measured'} on {c['device']}" + (f"; bound: {row.bound}" if row.bound else ""),
    ]

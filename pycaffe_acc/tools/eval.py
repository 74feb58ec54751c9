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
from pycaffe_acc.evaluation.evaluate import Evaluated, Outcome, Settings, evaluate, score_output
from pycaffe_acc.evaluation.image_list import ImageList
from pycaffe_acc.evaluation.labels import check_labels, read_labels
from pycaffe_acc.evaluation.report import Report, Row
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.net_sparsity import in_words, sparsity_of, with_rates
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.tools.calibration import add_calibration, check_calibration, open_calibrated
from pycaffe_acc.tools.cluster_arguments import add_cluster, check_cluster, on_cluster
from pycaffe_acc.tools.comparison import add_comparison, check_comparison, compare
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode, UsageError
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, image_input, open_net, positive
from pycaffe_acc.tools.parallel_arguments import Layout, add_parallel, layout, on_device, pipelines
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess
from pycaffe_acc.tools.pruned_files import add_pruning, check_pruning, pruned_files
from pycaffe_acc.tools.trace_argument import add_trace, traced

NAME = "eval"
HELP = "top-1, top-5, hardware FPS and end-to-end FPS over labelled images"

#: failed images that are named on the terminal
_TOLD = 10
#: cores whose share is printed
_SHOWN = 8

HEAD = ("model", "precision", "batch", "threads", "images", "top-1 %", "top-5 %", "to FP16", "to FP32", "hardware FPS", "vendor FPS",
        "end-to-end FPS", "p50 ms", "p90 ms", "p99 ms", "valid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, images, engine, preprocessing, bound."""
    add_model(parser)
    add_evaluation(parser)
    add_engine(parser, "pipelines beside each other, each with its own threads and queue (see cores)")
    add_parallel(parser)
    add_pruning(parser)
    add_calibration(parser)
    add_comparison(parser)
    add_cluster(parser)


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
    parser.add_argument("--dct-scaling", action="store_true", help="decode large JPEGs at a half, a quarter or an eighth of their size where that is "
                        "still enough for the preprocessing: faster, and other pixels; said in the result")
    add_trace(parser)
    parser.add_argument("--min-top1", type=float, metavar="PERCENT", help="exit with 1 when top-1 is lower")
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and report; see `status` for what it returns."""
    check_engine(args, cards=True)
    _check_arguments(args)
    check_cluster(args)
    cores = layout(args)
    dataset, preprocess = open_images(args)
    if args.cluster is not None:
        report = on_cluster(args, dataset, preprocess)
        emit(args, report.to_dict(), text(report))
        return status(report, None)
    with on_device(args, cores), traced(args.trace):
        report, stopped = _evaluate(args, cores, dataset, preprocess)
    emit(args, report.to_dict(), text(report))
    return status(report, stopped)


def _evaluate(args: argparse.Namespace, cores: Layout, dataset: Dataset, preprocess: Preprocess) -> tuple[Report, BaseException | None]:
    start, calibration = time.perf_counter(), None
    with pruned_files(args) as opened:
        if args.calibration is None:
            net = open_net(opened)
        else:
            net, calibration = open_calibrated(opened, preprocess)
    load_seconds = time.perf_counter() - start
    report, stopped = measure(args, cores, net, dataset, preprocess, load_seconds, calibration, args.sparsity or 0.0)
    if args.compare and stopped is None:
        del net  # its memory is the next one's
        report = compare(args, report, lambda other: measure(other, cores, open_net(other), dataset, preprocess, 0.0)[0].rows[0])
    return report, stopped


def status(report: Report, stopped: BaseException | None) -> int:
    """Exit status of an evaluation: images that could not be used are bad input, whatever the others gave.

    Parameters
    ----------
    report : Report
    stopped : BaseException or None
        What ended the run early; raised again, now that the results so far are written.
    """
    for failure in report.rows[0].failed[:_TOLD]:
        note(f"pycaffe-acc: left out: {failure['image']}: {failure['reason']}")
    more = len(report.rows[0].failed) - _TOLD
    if more > 0:
        note(f"pycaffe-acc: and {more} more; --json lists all of them")
    if stopped is not None:
        raise stopped
    if report.rows[0].failed:
        return ExitCode.BAD_INPUT
    return ExitCode.CHECK_FAILED if report.rows[0].valid is False else ExitCode.OK


def _check_arguments(args: argparse.Namespace) -> None:
    check_calibration(args)
    check_comparison(args)
    if args.compare and args.device.partition(":")[0] != "host":
        raise UsageError(f"--compare on {args.device}: a card has no FP32 to compare with; evaluate the float net on the host")
    check_pruning(args)


def open_images(args: argparse.Namespace) -> tuple[Dataset, Preprocess]:
    """The labelled images, and how they become a net's input.

    Raises
    ------
    UsageError, CaffeError
    """
    if (args.images is None) == (args.dataset is None):
        raise UsageError("give the labelled images either by --images LIST or by --dataset KIND:PATH")
    preprocess = open_preprocess(args)
    if getattr(args, "dct_scaling", False) and preprocess.resizer.startswith("pycaffe"):
        raise UsageError(f"--dct-scaling: preprocessing '{preprocess.name}' is pycaffe's, which decodes whole images; choose another profile")
    return open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe")), preprocess


def measure(args: argparse.Namespace, cores: Layout, net: Evaluated, dataset: Dataset, preprocess: Preprocess, load_seconds: float,
            calibration: dict[str, object] | None = None, sparsity: float = 0.0) -> tuple[Report, BaseException | None]:
    """One row of accuracy and throughput for an open net, and what ended it early, if something did.

    Parameters
    ----------
    args : Namespace
    cores : Layout
    net : Net or OfflineNet
    dataset : Dataset
    preprocess : Preprocess
    load_seconds : float
    calibration : dict, optional
        How the net was quantized just now.
    sparsity : float
        How it was pruned just now.
    """
    nets = pipelines(args, cores, net)
    source = image_input(nets[0])
    shape = nets[0].blobs[source].shape
    if args.labels is not None:
        check_labels(read_labels(args.labels), nets[0].blobs[score_output(nets[0], args.output)].shape[1], args.labels)
    how = preprocess.describe()
    if args.dct_scaling and isinstance(dataset, ImageList):
        dataset.least = preprocess.least_size(shape)
        how += ", large JPEGs decoded at reduced size"
    with _progress(min(args.limit or len(dataset), len(dataset))) as bar:
        outcome = evaluate(nets, source, dataset, lambda pixels: preprocess.apply(pixels, shape), args.output,
                           Settings(args.limit, args.decode_threads, args.fifosize, progress=bar.update))
    report = Report(environment(), load_seconds, outcome.compile_seconds, outcome.warmup_seconds)
    configuration: dict[str, Any] = {"weights": str(args.weights), "dataset": dataset.name, "precision": args.precision, "batch": shape[0],
                                     "threads": cores.pipelines, "device": args.device, "dp": cores.data, "mp": cores.model,
                                     "core_slots": nets[0].threads, "fifosize": args.fifosize, "sparsity": sparsity, "preprocess": how,
                                     "calibration": calibration}
    bound = "" if args.min_top1 is None else f"top-1 of at least {args.min_top1:g} %"
    valid = None if args.min_top1 is None else outcome.accuracy.top1 >= args.min_top1
    # a precision is its own yardstick; the distance to the other was not measured
    own: dict[str, Any] = {f"delta_{args.precision}": 0.0} if args.precision in ("fp32", "fp16") and not sparsity else {}
    stopped = outcome.stopped
    report.add(Row(str(args.model), configuration, outcome.accuracy, outcome.throughput, bound=bound, valid=valid,
                   failed=[f.to_dict() for f in outcome.failures], stopped=None if stopped is None else str(stopped) or type(stopped).__name__,
                   core_use=_core_use(outcome), weight_sparsity=_weight_sparsity(nets[0], shape[0], outcome), **own))
    return report, stopped


def _weight_sparsity(net: object, batch: int, outcome: Outcome) -> dict[str, Any] | None:
    found = sparsity_of(net) if outcome.stopped is None else None  # a net that was interrupted may still be running
    return None if found is None else with_rates(found, outcome.throughput.hardware_fps / batch)


def _core_use(outcome: Outcome) -> list[dict[str, Any]]:
    wall = outcome.throughput.wall_seconds
    return [{"core": use.core, "channel": use.channel, "functions": use.functions, "busy_seconds": use.busy_ns * 1e-9,
             "share": use.busy_ns * 1e-9 / wall} for use in outcome.cores if use.functions or use.busy_ns]


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
        *([f"ended early ({row.stopped}): all figures are of the {a.images} images until then"] if row.stopped else []),
        *([f"{len(row.failed)} images could not be used: all figures are of the others"] if row.failed else []),
        f"batch {c['batch']}: wall time {t.wall_seconds:.3f} s: {shares}",
        f"  (decode and preprocess: what the net waited for; their threads worked {t.work_seconds['decode']:.3f} s and "
        f"{t.work_seconds['preprocess']:.3f} s)",
        f"preprocessing {c['preprocess']}",
        f"{c['threads']} pipelines x dp {c['dp']} x mp {c['mp']}; share of the wall time in which a core had work: " + _shares(row),
        *([in_words(row.weight_sparsity)] if row.weight_sparsity and row.weight_sparsity["zeros"] else []),
        *([f"quantized in memory: method {q['method']}, {q['images']} images of {q['dataset']}"] if (q := c.get("calibration")) else []),
        f"times are {'simulated' if t.simulated else 'measured'} on {c['device']}" + (f"; bound: {row.bound}" if row.bound else ""),
    ]


def _shares(row: Row) -> str:
    shares = [f"{use['core']}: {100 * use['share']:.0f} %" for use in row.core_use]
    return ", ".join(shares[:_SHOWN]) + (f" and {len(shares) - _SHOWN} more cores" if len(shares) > _SHOWN else "") or "none"

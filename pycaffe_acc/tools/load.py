"""`load`: latency and throughput under load, in the style of MLPerf's scenarios."""
from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.load.accuracy_run import accuracy_run
from pycaffe_acc.load.answers import Answers, read_answers
from pycaffe_acc.load.draws import seeds
from pycaffe_acc.load.engine import Engine
from pycaffe_acc.load.figures import Figures
from pycaffe_acc.load.performance_run import Search, capacity, find_qps, harness_us, performance_run
from pycaffe_acc.load.plot import plot_latency
from pycaffe_acc.load.report import LoadReport
from pycaffe_acc.load.scenario import Settings
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.quantize.report_plot import check_format, pyplot
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode
from pycaffe_acc.tools.load_arguments import add_load, check_options, net_batches, settings
from pycaffe_acc.tools.load_engines import Opened, open_engines, warm
from pycaffe_acc.tools.preprocess_arguments import open_preprocess

NAME = "load"
HELP = "latency and throughput under load: SingleStream, MultiStream, Server, Offline (MLPerf-style, not MLPerf)"

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, images, scenario, engine, results."""
    add_load(parser)


def run(args: argparse.Namespace) -> int:
    """Run the scenario and report; 1 when the result is invalid."""
    check_options(args)
    if args.plot is not None:
        check_format(args.plot)
        pyplot()
    preprocess = open_preprocess(args)
    dataset = open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe"))
    start = time.perf_counter()
    with open_engines(args, dataset, preprocess, net_batches(settings(args))) as opened:
        wanted = settings(args, opened.batch if args.max_batch is None and not args.weights else None)
        report = measure(args, opened, wanted, dataset, preprocess, time.perf_counter() - start)
    emit(args, report.to_dict(), report.text())
    if args.plot is not None and report.figures is not None and report.figures.log.served:
        plot_latency(report.figures, args.plot, f"{wanted.scenario.value} of {Path(args.model).name}, top-1 {report.accuracy.top1:.2f} %")
    if report.figures is not None and report.figures.log.stopped == "interrupted":
        return INTERRUPTED
    return ExitCode.CHECK_FAILED if report.reasons() else ExitCode.OK


def measure(args: argparse.Namespace, opened: Opened, wanted: Settings, dataset: Dataset, preprocess: Preprocess,
            load_seconds: float) -> LoadReport:
    """Both runs, or one of them."""
    count = min(args.limit or len(dataset), len(dataset))
    identity = _identity(args, opened, dataset, preprocess, count)
    resident = _resident(count, args.resident, wanted.seed)
    opened.images.hold(resident)
    seconds = {"load": load_seconds, **warm(opened.engines, resident[0], net_batches(wanted))}
    if args.mode == "performance":
        answers = read_answers(args.answers, identity, resident)
    else:
        start = time.perf_counter()
        answers = Answers(identity, opened.precision)
        with tqdm(total=count, unit="image", disable=not sys.stderr.isatty(), leave=False) as bar:
            accuracy_run(answers, opened.engines[0], opened.images, count, opened.batch, args.resident, bar.update)
        seconds["accuracy run"] = time.perf_counter() - start
        if args.answers is not None:
            answers.write(args.answers)
        opened.images.hold(resident)
    figures, search = (None, None) if args.mode == "accuracy" else _perform(args, opened.timed or opened.engines, wanted, resident, answers)
    configuration: dict[str, Any] = {"weights": args.weights, "dataset": dataset.name, "precision": opened.precision, "device": args.device,
                                     "scenario": wanted.scenario.value, "mode": args.mode, "instances": args.instances, "threads": opened.threads,
                                     "batch": opened.batch, "max_batch": wanted.max_batch, "max_delay_ms": wanted.max_delay_ms,
                                     "samples_per_query": wanted.samples_per_query, "check_share": wanted.check_share, "resident": len(resident),
                                     "tolerance": answers.tolerance, "answers": args.answers, "plot": args.plot,
                                     "preprocess": preprocess.describe()}
    return LoadReport(str(args.model), configuration, answers.accuracy, {"seed": wanted.seed, **seeds(wanted.seed)}, figures, search, args.min_top1,
                      opened.clock, bool(opened.timed), seconds, None if figures is None or opened.timed else harness_us(), environment())


def _perform(args: argparse.Namespace, engines: Sequence[Engine], wanted: Settings, resident: list[int],
             answers: Answers) -> tuple[Figures, Search | None]:
    if not args.find_qps:
        return performance_run(wanted, engines, resident, answers.difference), None
    guess = wanted.qps if args.qps is not None and wanted.qps is not None else 0.7 * capacity(wanted, engines, resident)

    def trial(one: Settings) -> Figures:
        figures = performance_run(one, engines, resident, answers.difference, give_up=True)
        if sys.stderr.isatty():
            note(f"{one.qps:.2f} queries per second: {'valid' if not figures.reasons() else figures.reasons()[0]}")
        return figures

    search = find_qps(wanted, trial, guess)
    return search.figures, search


def _resident(count: int, most: int, seed: int) -> list[int]:
    """The images of the timed run: all, or a seeded choice, in order."""
    if count <= most:
        return list(range(count))
    return sorted(np.random.default_rng(seed).choice(count, most, replace=False).tolist())


def _identity(args: argparse.Namespace, opened: Opened, dataset: Dataset, preprocess: Preprocess, count: int) -> dict[str, Any]:
    """What answers depend on."""
    return {"model": _sha256(args.model), "weights": None if args.weights is None else _sha256(args.weights), "precision": opened.precision,
            "output": opened.output, "vendor_exact": bool(args.vendor_exact), "preprocess": preprocess.describe(), "dataset": dataset.name,
            "images": count, "labels": hashlib.sha256(np.ascontiguousarray(dataset.labels[:count], "<i8").tobytes()).hexdigest()}


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            digest.update(part)
    return digest.hexdigest()

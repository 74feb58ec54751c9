"""`run`: accuracy and throughput of an offline model over labelled images, together."""
from __future__ import annotations

import argparse
import time

from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.tools import eval as evaluation
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import ExitCode
from pycaffe_acc.tools.model_arguments import positive

NAME = "run"
HELP = "top-1, top-5, hardware FPS and end-to-end FPS of an offline model over labelled images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """File, images, preprocessing, bound."""
    parser.add_argument("model", metavar="NAME.cambricon", help="what `compile` or `caffe genoff` wrote")
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots (default: the CPUs this process may use)")
    evaluation.add_evaluation(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and report; 1 when the accuracy bound is missed."""
    dataset, preprocess = evaluation.open_images(args)
    start = time.perf_counter()
    net = OfflineNet(args.model, args.threads)
    load_seconds = time.perf_counter() - start
    settings = argparse.Namespace(**{**vars(args), "weights": args.model, "precision": net.precision, "device": "host", "dp": 1,
                                     "mp": net.model.model_parallelism})
    report = evaluation.measure(settings, net, dataset, preprocess, load_seconds)
    emit(args, report.to_dict(), evaluation.text(report))
    return ExitCode.CHECK_FAILED if report.rows[0].valid is False else ExitCode.OK

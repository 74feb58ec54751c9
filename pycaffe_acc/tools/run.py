"""`run`: accuracy and throughput of an offline model over labelled images, together."""
from __future__ import annotations

import argparse
import time
from pathlib import Path

from cnrt import model_file
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.tools import eval as evaluation
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import positive
from pycaffe_acc.tools.parallel_arguments import add_parallel, layout, on_device
from pycaffe_acc.tools.trace_argument import traced

NAME = "run"
HELP = "top-1, top-5, hardware FPS and end-to-end FPS of an offline model over labelled images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """File, device, cores, images, preprocessing, bound."""
    parser.add_argument("model", metavar="NAME.cambricon", help="what `compile` or `caffe genoff` wrote")
    parser.add_argument("--threads", type=positive, metavar="T", help="pipelines beside each other, each with its own threads and queue (see cores)")
    parser.add_argument("--device", default="host", metavar="KIND", help="where to run (default: host)")
    add_parallel(parser, compiled=True)
    evaluation.add_evaluation(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and report; see `eval.status` for what it returns."""
    args.mp = None
    layout(args, 1)  # what is wrong whatever the model
    dataset, preprocess = evaluation.open_images(args)
    start = time.perf_counter()
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "offline model")
    model = model_file.load(args.model)
    cores = layout(args, model.model_parallelism)
    with on_device(args, cores), traced(args.trace):
        net = OfflineNet(args.model, cores.model if cores.chosen else None, model, cores.data)
        load_seconds = time.perf_counter() - start
        settings = argparse.Namespace(**{**vars(args), "weights": args.model, "precision": net.precision})
        report, stopped = evaluation.measure(settings, cores, net, dataset, preprocess, load_seconds)
    emit(args, report.to_dict(), evaluation.text(report))
    return evaluation.status(report, stopped)

"""`eval --cluster`: the same evaluation on the workers of a Ray cluster."""
from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from cnrt.cpu import effective_cpus
from pycaffe_acc.cluster.evaluate import LOCAL, evaluate_on_cluster
from pycaffe_acc.cluster.merge import ClusterOutcome
from pycaffe_acc.cluster.worker import Opened
from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.evaluation.evaluate import check_range, score_output
from pycaffe_acc.evaluation.report import Report, Row
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.tools.console import note
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import image_input, open_net, positive
from pycaffe_acc.tools.preprocess_arguments import open_preprocess


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """--cluster and its workers."""
    group = parser.add_argument_group("more than one machine",
                                      "Workers with a net each take shares of the images; --mp cores for each. Every machine "
                                      "has this package, the model and the images under the same paths")
    group.add_argument("--cluster", metavar="ADDRESS", help=f"evaluate on a Ray cluster: {LOCAL} (started for this run), auto, or HOST:PORT")
    group.add_argument("--cluster-workers", type=positive, metavar="N", help="workers (default: 1; with local, all that there are cores for)")


def check_cluster(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError
    """
    if args.cluster is None:
        if args.cluster_workers is not None:
            raise UsageError("--cluster-workers belongs to --cluster")
        return
    given = [name for name in ("threads", "dp", "trace", "calibration", "channel") if getattr(args, name, None) is not None]
    given += ["compare"] * bool(args.compare) + ["device"] * (args.device.partition(":")[0] != "host")
    if given:
        raise UsageError(f"--{given[0]} cannot be combined with --cluster: each of its workers drives one net on --mp cores of the host")


@dataclass(frozen=True)
class EvalOpener:
    """Opens on a worker what `eval` would open here.

    Attributes
    ----------
    options : dict
        Of the command line.
    folder : str
        That relative paths are below.
    cores : int
    """

    options: dict[str, Any]
    folder: str
    cores: int

    def __call__(self) -> Opened:
        """The net with its batch, and the images."""
        if os.path.isdir(self.folder):
            os.chdir(self.folder)
        args = argparse.Namespace(**{**self.options, "threads": self.cores})
        preprocess, net = open_preprocess(args), open_net(args)
        dataset = open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe"))
        source = image_input(net)
        shape = net.blobs[source].shape
        return Opened(net, source, score_output(net, args.output), dataset, lambda pixels: preprocess.apply(pixels, shape),
                      args.decode_threads or self.cores)


def on_cluster(args: argparse.Namespace, dataset: Dataset, preprocess: Preprocess) -> Report:
    """Evaluate on a cluster.

    Parameters
    ----------
    args : Namespace
        Checked by `check_cluster`.
    dataset : Dataset
    preprocess : Preprocess

    Returns
    -------
    Report
        Of one row; its configuration's `cluster` says what each worker contributed.

    Raises
    ------
    CaffeError
    """
    cores = args.mp or 1
    workers = args.cluster_workers or (max(1, effective_cpus() // cores) if args.cluster == LOCAL else 1)
    # what does not need a worker to be seen is refused here
    net = open_net(argparse.Namespace(**{**vars(args), "threads": cores}))
    batch, count = net.blobs[image_input(net)].shape[0], min(args.limit or len(dataset), len(dataset))
    check_range(dataset, count, net.blobs[score_output(net, args.output)].shape[1])
    del net
    options = {k: v for k, v in vars(args).items() if isinstance(v, (str, int, float, bool, type(None)))}
    with tqdm(total=count, unit="image", disable=not sys.stderr.isatty(), leave=False) as bar:
        outcome = evaluate_on_cluster(args.cluster, workers, cores, EvalOpener(options, os.getcwd(), cores), count, batch, bar.update)
    for use in outcome.workers:
        note(f"worker {use.name}: {use.images} images in {use.shards} shares, device busy {use.busy_seconds:.3f} s"
             + (", lost on the way" if use.lost else ""))
    return _report(args, outcome, dataset.name, preprocess.describe(), {"batch": batch, "workers": workers, "cores": cores})


def _report(args: argparse.Namespace, outcome: ClusterOutcome, data: str, how: str, sizes: dict[str, int]) -> Report:
    report = Report(environment(), outcome.load_seconds, outcome.compile_seconds, outcome.warmup_seconds)
    cluster = {"address": args.cluster, "workers": [w.to_dict() for w in outcome.workers], "redone_shares": outcome.redone,
               "busy_seconds": sum(w.busy_seconds for w in outcome.workers)}
    configuration: dict[str, Any] = {
        "weights": str(args.weights), "dataset": data, "precision": args.precision, "batch": sizes["batch"], "threads": sizes["workers"],
        "device": args.device, "dp": 1, "mp": sizes["cores"], "core_slots": sizes["cores"], "fifosize": 2, "sparsity": 0.0, "preprocess": how,
        "calibration": None, "cluster": cluster}
    top1 = outcome.accuracy.top1
    bound = "" if args.min_top1 is None else f"top-1 of at least {args.min_top1:g} %"
    own: dict[str, Any] = {f"delta_{args.precision}": 0.0} if args.precision in ("fp32", "fp16") else {}
    report.add(Row(str(args.model), configuration, outcome.accuracy, outcome.throughput, bound=bound,
                   valid=None if args.min_top1 is None else top1 >= args.min_top1, failed=outcome.failures, **own))
    return report

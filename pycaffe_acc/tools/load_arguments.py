"""Options of `load`."""
from __future__ import annotations

import argparse

from cnml.executable import PRECISIONS
from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.engine import batch_sizes
from pycaffe_acc.load.performance_run import check_search
from pycaffe_acc.load.scenario import MLPERF, Scenario, Settings
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.load_engines import is_offline
from pycaffe_acc.tools.model_arguments import percent, positive
from pycaffe_acc.tools.preprocess_arguments import add_preprocess
from pycaffe_acc.tools.quantize_arguments import add_images

MODES = ("both", "accuracy", "performance")
#: images in a query of MultiStream, and in a batch of Offline
_EIGHT = 8


def add_load(parser: argparse.ArgumentParser) -> None:
    """Net, images, scenario, engine, results."""
    parser.add_argument("--model", required=True, metavar="P", help="net description (.prototxt) or offline model (.cambricon)")
    parser.add_argument("--weights", metavar="W", help="trained weights (.caffemodel or HDF5); an offline model has its own")
    add_images(parser, "images")
    _add_scenario(parser)
    engine = parser.add_argument_group("engine")
    engine.add_argument("--precision", choices=PRECISIONS, help="as in eval (default: fp32 on the host, mlu on a virtual card)")
    engine.add_argument("--device", default="host", metavar="KIND", help="host, or a virtual card: MLU100, MLU270 (default host)")
    engine.add_argument("--time", choices=("host", "simulated"), default="host", help="with a virtual card: the time of this machine, which computes "
                        "the values, or of the card as its model gives it (default host)")
    engine.add_argument("--instances", type=positive, default=1, metavar="N", help="workers with a net each, which share the weights; Server and "
                        "Offline (default 1)")
    engine.add_argument("--threads", type=positive, metavar="T", help="core slots of one instance (default: the usable CPUs over the instances)")
    engine.add_argument("--output", metavar="BLOB", help="the blob that holds the scores (default: the net's only output of that kind)")
    engine.add_argument("--decode-threads", type=positive, metavar="N", help="threads that prepare images before the clock starts")
    engine.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")
    result = parser.add_argument_group("results")
    result.add_argument("--answers", metavar="F", help="file of the accuracy run's answers: --mode performance reads it, the others write it")
    result.add_argument("--min-top1", type=percent, metavar="PERCENT", help="the result is invalid when top-1 is lower")
    result.add_argument("--plot", metavar="F", help="draw the latency histogram, too (.png, .svg or .pdf; needs the extra report)")
    add_preprocess(parser)


def _add_scenario(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("scenario")
    group.add_argument("--scenario", type=scenario, default=Scenario.SINGLE_STREAM, metavar="NAME",
                       help=f"one of {', '.join(s.value for s in Scenario)} (default SingleStream)")
    group.add_argument("--mode", choices=MODES, default=MODES[0], help="accuracy: every image once; performance: the timed run, which needs the "
                       "--answers of an accuracy run; both: one after the other (default both)")
    group.add_argument("--min-duration", type=float, default=10.0, metavar="SECONDS", help="queries arrive for at least so long (default 10; MLPerf "
                       "asks for 600)")
    group.add_argument("--min-queries", type=positive, default=100, metavar="N", help="at least so many queries, Offline: images (default 100)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of samples, arrivals and checks (default 0)")
    group.add_argument("--check-share", type=float, default=0.1, metavar="S", help="share of the queries whose answers are compared inside the "
                       "timed run (default 0.1)")
    group.add_argument("--resident", type=positive, default=256, metavar="N", help="images that the timed run draws from; they are held in memory "
                       "(default 256)")
    group.add_argument("--percentile", type=float, metavar="P", help="of the latency that counts (default 90 for SingleStream, else 99)")
    group.add_argument("--latency-bound-ms", type=float, metavar="MS", help="the percentile must not exceed it")
    group.add_argument("--samples-per-query", type=positive, metavar="N", help=f"MultiStream: images in a query (default {_EIGHT})")
    group.add_argument("--qps", type=float, metavar="RATE", help="Server: queries per second")
    group.add_argument("--find-qps", action="store_true", help="Server: search for the highest rate within the bound; --qps is where it begins")
    group.add_argument("--max-batch", type=positive, metavar="N", help=f"most images in one forward (default: 1 for Server, {_EIGHT} for Offline, "
                       "the query for streams, an offline model's own batch)")
    group.add_argument("--max-delay-ms", type=float, default=0.0, metavar="MS", help="Server: how long a query is held back while its batch is not "
                       "full (default 0)")


def scenario(text: str) -> Scenario:
    """A scenario by its name, in any case, with or without - and _."""
    plain = text.replace("-", "").replace("_", "").lower()
    for known in Scenario:
        if known.value.lower() == plain:
            return known
    raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(s.value for s in Scenario)}")


def check_options(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other, before any file is read.

    Raises
    ------
    UsageError
    """
    if (args.images is None) == (args.dataset is None):
        raise UsageError("give the labelled images either by --images LIST or by --dataset KIND:PATH")
    if is_offline(args.model):
        if args.weights is not None or args.precision is not None:
            raise UsageError("an offline model has its own weights and precision; leave --weights and --precision out")
    elif args.weights is None:
        raise UsageError("--weights is missing; only an offline model (.cambricon) goes without")
    if args.scenario.stream and args.instances > 1:
        raise UsageError(f"--instances {args.instances}: {args.scenario.value} has one query at a time, so all but one would stand idle; give one "
                         "instance more --threads")
    if args.time == "simulated" and args.device == "host":
        raise UsageError("--time simulated is the time of a virtual card: give --device MLU100 or MLU270")
    if args.mode == "performance" and args.answers is None:
        raise UsageError("--mode performance compares answers with those of an accuracy run: give its file by --answers, or use --mode both")
    if args.mode == "accuracy" and (args.find_qps or args.plot is not None):
        raise UsageError("--find-qps and --plot belong to the performance run; leave them out with --mode accuracy")
    if args.find_qps and (args.scenario is not Scenario.SERVER or args.latency_bound_ms is None):
        raise UsageError("--find-qps searches the highest rate of --scenario Server whose latency keeps --latency-bound-ms; give both")
    wanted = settings(args)
    if args.find_qps:
        try:
            check_search(wanted)
        except CheckError as e:
            raise UsageError(str(e)) from e


def settings(args: argparse.Namespace, batch: int | None = None) -> Settings:
    """The run that the options ask for.

    Parameters
    ----------
    args : Namespace
    batch : int, optional
        Of an offline model: the default of --max-batch.

    Raises
    ------
    UsageError
        For values that a run cannot have.
    """
    multi = args.scenario is Scenario.MULTI_STREAM
    each = args.samples_per_query or (_EIGHT if multi else 1)
    most = args.max_batch or batch or {Scenario.MULTI_STREAM: each, Scenario.OFFLINE: _EIGHT}.get(args.scenario, 1)
    rule = MLPERF[args.scenario]
    # a rate to go on with, where the search finds one, or where the accuracy run needs none
    spare = 1.0 if args.scenario is Scenario.SERVER and args.qps is None and (args.find_qps or args.mode == "accuracy") else None
    try:
        return Settings(args.scenario, args.min_duration, args.min_queries, args.seed, args.check_share, each,
                        spare if args.qps is None else args.qps, args.latency_bound_ms,
                        (rule.percentile or 99.0) if args.percentile is None else args.percentile, most, args.max_delay_ms)
    except CheckError as e:
        raise UsageError(str(e)) from e


def net_batches(wanted: Settings) -> list[int]:
    """Batch sizes that nets are built for: with gathered batches, all powers of two below the largest, too."""
    if wanted.scenario is Scenario.SERVER:
        return batch_sizes(wanted.max_batch)
    return [min(wanted.max_batch, wanted.samples_per_query) if wanted.scenario.stream else wanted.max_batch]

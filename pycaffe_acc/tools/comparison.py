"""`eval --compare`: the same net in FP32 and FP16 over the same images, and the distance to them."""
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from pycaffe_acc.evaluation.report import Report, Row
from pycaffe_acc.tools.exit_code import UsageError

FLOATS = ("fp16", "fp32")
#: percent of FP16's top-1 that may be lost
WITHIN = 1.0


def add_comparison(parser: argparse.ArgumentParser) -> None:
    """--compare, --float-weights, --within."""
    group = parser.add_argument_group("comparison with the float net")
    group.add_argument("--compare", action="store_true", help="evaluate the net in fp16 and fp32 over the same images, too; gives delta_fp16 and "
                       "delta_fp32, and says whether top-1 is valid by --within")
    group.add_argument("--float-weights", metavar="W", help="with --compare: the float net's weights, where quantize wrote others")
    group.add_argument("--within", type=float, default=None, metavar="PERCENT", help="with --compare: exit with 1 when more than this share of "
                       f"fp16's top-1 is lost (default {WITHIN:g})")


def check_comparison(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError
    """
    for name in ("float_weights", "within"):
        if getattr(args, name) is not None and not args.compare:
            raise UsageError(f"--{name.replace('_', '-')} belongs to --compare")
    if args.within is not None and not 0 <= args.within < 100:
        raise UsageError(f"--within is {args.within:g}; it is a share of FP16's top-1 in percent, from 0 to less than 100")


def compare(args: argparse.Namespace, report: Report, measure: Callable[[argparse.Namespace], Row]) -> Report:
    """The report with rows of the float net behind the first one, all with their distances.

    Parameters
    ----------
    args : argparse.Namespace
    report : Report
        Of one row.
    measure : callable
        Options of another precision → its row.

    Returns
    -------
    Report
        The first row's `valid` says whether every bound holds: --within of FP16's top-1, and what the row had before.
    """
    first = report.rows[0]
    dense = {**vars(args), "calibration": None, "min_top1": None, "weights": args.float_weights or args.weights, "sparsity": None}
    floats = {p: measure(argparse.Namespace(**{**dense, "precision": p})) for p in FLOATS if p != args.precision or args.sparsity}
    rows = [first, *floats.values()]
    half, single = (_top1(floats.get(p, first)) for p in FLOATS)
    whole = replace(report, rows=[])
    for row in rows:
        judged = _judged(row, half, WITHIN if args.within is None else args.within) if row is first else row
        whole.add(replace(judged, delta_fp16=_top1(row) - half, delta_fp32=_top1(row) - single))
    return whole


def _judged(row: Row, half: float, within: float) -> Row:
    least = half * (1 - within / 100)
    texts = [f"top-1 of at least {least:.2f} %, {100 - within:g} % of FP16's", *([row.bound] if row.bound else [])]
    return replace(row, bound=" and ".join(texts), valid=_top1(row) >= least - 1e-9 and row.valid is not False)


def _top1(row: Row) -> float:
    assert row.accuracy is not None
    return row.accuracy.top1

"""`eval --sparsity`: a net pruned before it is evaluated, in files that are gone afterwards."""
from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pycaffe_acc.prune.prune_net import Pruner
from pycaffe_acc.prune.prune_options import METHODS, PruneOptions
from pycaffe_acc.tools.exit_code import UsageError

_DEFAULT = "magnitude"
#: what neither needs images nor changes the net's shape
_SIMPLE = tuple(name for name in METHODS if name != "channel")


def add_pruning(parser: argparse.ArgumentParser) -> None:
    """--sparsity and --prune-method."""
    group = parser.add_argument_group("prune the net first; nothing is written (`prune` writes a net, and knows how to keep its accuracy)")
    group.add_argument("--sparsity", type=float, metavar="S", help="the share of weights that becomes zero, from 0 to less than 1")
    group.add_argument("--prune-method", choices=_SIMPLE, metavar="METHOD", help=f"{', '.join(_SIMPLE)} (default: {_DEFAULT})")


def check_pruning(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError
    """
    if args.sparsity is None:
        if args.prune_method is not None:
            raise UsageError("--prune-method belongs to --sparsity S; give the sparsity, too")
        return
    if not 0 <= args.sparsity < 1:
        raise UsageError(f"--sparsity is {args.sparsity:g}; it is the share of weights that becomes zero, at least 0 and less than 1")
    if args.sparsity and getattr(args, "cluster", None) is not None:
        raise UsageError("--sparsity with --cluster: the workers open files; write the pruned net with `prune` and evaluate that")


@contextmanager
def pruned_files(args: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The options with model and weights of the pruned net; as they are where nothing is pruned.

    Raises
    ------
    CaffeError
        As `Pruner`.
    """
    if not args.sparsity:
        yield args
        return
    options = PruneOptions(args.prune_method or _DEFAULT, args.sparsity, vendor_exact=args.vendor_exact)
    pruner = Pruner(args.model, args.weights, options, args.threads)
    pruner.apply(pruner.shares())
    with tempfile.TemporaryDirectory() as folder:
        model, weights = Path(folder, "pruned.prototxt"), Path(folder, "pruned.caffemodel")
        pruner.save(model, weights)
        del pruner
        yield argparse.Namespace(**{**vars(args), "model": str(model), "weights": str(weights)})

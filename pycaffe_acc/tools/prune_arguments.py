"""Options of `prune` and `prune-sensitivity`."""
from __future__ import annotations

import argparse

from pycaffe_acc.prune.prune_options import METHODS, SPREADS, PruneOptions
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import add_model
from pycaffe_acc.tools.preprocess_arguments import add_preprocess
from pycaffe_acc.tools.quantize_arguments import add_images, add_run, add_validation

#: calibration images that are walked through unless told; their values between two layers are held in memory
IMAGES = 128
_DEFAULT_METHOD = "magnitude"


def add_touched(parser: argparse.ArgumentParser) -> None:
    """--keep, --include-first, --include-depthwise."""
    touched = parser.add_argument_group("what may be pruned", "Convolution and InnerProduct layers; never their biases, except by the method vendor")
    touched.add_argument("--keep", action="append", default=[], metavar="WHAT", help="leave layers as they are: NAME, first or last (layer with "
                         "weights), regex:R (all of a name), types=T,…; several with commas, or the option several times")
    touched.add_argument("--include-first", action="store_true", help="prune the first convolution, too (the method vendor always does)")
    touched.add_argument("--include-depthwise", action="store_true", help="prune depthwise convolutions, too (the method vendor always does)")


def add_prune(parser: argparse.ArgumentParser) -> None:
    """Net, method, images, bound, results."""
    add_model(parser)
    parser.add_argument("--sparsity", type=float, metavar="S", help="share of the weights (channel: of the output channels) of the pruned layers "
                        "that becomes zero, at least 0 and less than 1; with --max-drop the most that is tried (default there: 0.95)")
    parser.add_argument("--method", choices=tuple(METHODS), default=_DEFAULT_METHOD,
                        help="; ".join(f"{name}: {about}" for name, about in METHODS.items()) + f" (default {_DEFAULT_METHOD})")
    parser.add_argument("--spread", choices=tuple(SPREADS), default="even", help="how zeros are shared out among layers: "
                        + "; ".join(f"{name}: {about}" for name, about in SPREADS.items()) + " (default even)")
    parser.add_argument("--sensitivities", metavar="F", help="share the zeros out among the layers by what prune-sensitivity found (its JSON)")
    add_touched(parser)
    better = parser.add_argument_group("what else to do for accuracy", "without labels and without training; needs images")
    better.add_argument("--compensate", action="store_true", help="layer by layer, remove what matters least on the images, and set the remaining "
                        "weights, the biases and BatchNorm statistics anew so that outputs change least")
    better.add_argument("--reestimate", action="store_true", help="biases and BatchNorm statistics only (part of --compensate)")
    add_images(parser, f"images for that (labels are not needed; at most {IMAGES} unless --limit says otherwise)")
    _add_bound(parser)
    parser.add_argument("--out", required=True, metavar="P2", help="the prototxt to write, with sparse_mode and sparsity in pruned layers")
    parser.add_argument("--out-weights", required=True, metavar="W2", help="the weights to write")
    add_run(parser)
    add_preprocess(parser)


def _add_bound(parser: argparse.ArgumentParser) -> None:
    bound = parser.add_argument_group("a bound on the accuracy lost")
    bound.add_argument("--max-drop", type=float, metavar="POINTS", help="find the largest sparsity, to 0.05, at which top-1 on labelled images is "
                       "lower by no more; exit with 1 if there is none")
    add_validation(bound)


def check_prune(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError, CheckError
    """
    if args.sparsity is None and args.max_drop is None:
        raise UsageError("prune needs --sparsity S, or --max-drop POINTS to find one")
    options = prune_options(args, 0.95 if args.sparsity is None else args.sparsity)
    options.check()
    given = (args.images is not None) + (args.dataset is not None)
    if given > 1 or (options.needs_images and not given):
        raise UsageError("--compensate and --reestimate look at images: give one of --images LIST and --dataset KIND:PATH")
    if given and not options.needs_images:
        raise UsageError("images were given, but nothing looks at them: add --compensate or --reestimate")
    if args.sensitivities is not None and (args.method in ("vendor", "channel") or options.one_threshold):
        raise UsageError("--sensitivities goes with --method magnitude or block4 and --spread even; others have their own way to share zeros out")
    validation = (args.validate is not None) + (args.validate_dataset is not None)
    if validation != (args.max_drop is not None):
        raise UsageError("--max-drop POINTS and the labelled images it is measured on, --validate LIST or --validate-dataset KIND:PATH, belong "
                         "together")


def prune_options(args: argparse.Namespace, sparsity: float) -> PruneOptions:
    """What the pruning is told."""
    return PruneOptions(args.method, sparsity, tuple(args.keep), args.include_first, args.include_depthwise, args.compensate, args.reestimate,
                        args.vendor_exact, args.spread)

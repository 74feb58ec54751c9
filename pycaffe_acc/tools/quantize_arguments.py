"""Options of `quantize`."""
from __future__ import annotations

import argparse

from pycaffe_acc.quantize.calibration_options import WEIGHT_RANGES, CalibrationOptions
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16
from pycaffe_acc.quantize.keep_float import HELP as KEEP_HELP
from pycaffe_acc.quantize.method import METHODS, find_method
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import add_model, positive
from pycaffe_acc.tools.preprocess_arguments import add_preprocess

DTYPES = {"int8": DT_INT8, "int16": DT_INT16}
DEFAULT_METHOD = "mse"


def add_images(parser: argparse.ArgumentParser, title: str) -> None:
    """--images, --root, --dataset, --limit."""
    source = parser.add_argument_group(title)
    source.add_argument("--images", metavar="LIST", help="text file of 'path label' lines")
    source.add_argument("--root", metavar="DIR", help="folder of the list's images (default: the list's)")
    source.add_argument("--dataset", metavar="KIND:PATH", help="instead of --images, as in eval")
    source.add_argument("--limit", type=positive, metavar="N", help="only the first N images")


def add_run(parser: argparse.ArgumentParser) -> None:
    """--batch, --threads, --vendor-exact."""
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="images in one forward (default 8)")
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots (default: the CPUs this process may use)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe (the method vendor "
                        "always does)")


def add_quantize(parser: argparse.ArgumentParser) -> None:
    """Net, images, method, results, bound."""
    add_model(parser)
    add_images(parser, "calibration images")
    method = parser.add_argument_group("ranges")
    method.add_argument("--method", choices=METHODS, default=DEFAULT_METHOD,
                        help="; ".join(f"{m}: {find_method(m).HELP}" for m in METHODS) + f" (default {DEFAULT_METHOD})")
    method.add_argument("--percentile", type=float, metavar="P", help="with --method percentile: percent of all values that are kept, not clipped "
                        "(default 99.99)")
    method.add_argument("--weight-ranges", choices=WEIGHT_RANGES, default=WEIGHT_RANGES[0], help="of weights, per output channel: the largest "
                        "magnitude, or the smallest squared error (default absmax)")
    method.add_argument("--dtype", choices=tuple(DTYPES), default="int8", help="whole numbers of how many bits (default int8)")
    method.add_argument("--table", metavar="F", help="write the ranges as a text file, too")
    method.add_argument("--from-table", metavar="F", help="take the ranges from such a file; no calibration images are needed then")
    change = parser.add_argument_group("what else to do for accuracy")
    change.add_argument("--keep-float", action="append", default=[], metavar="WHAT", help=KEEP_HELP)
    change.add_argument("--bias-correction", action="store_true", help="put the mean error of each output channel over the calibration images into "
                        "the biases (needs --out-weights)")
    change.add_argument("--weight-rounding", choices=("nearest", "adaptive"), default="nearest", help="adaptive: choose the codes of each output's "
                        "weights together, so that their errors cancel on the calibration images; takes a minute or more (needs --out-weights; "
                        "default nearest)")
    change.add_argument("--equalize", action="store_true", help="scale weights across layers that are joined by ReLU alone, so that channels reach "
                        "equally far (needs --out-weights)")
    change.add_argument("--first-convolution", action="store_true", help="the net takes raw pixels: mean and scale become fields of its first "
                        "convolution")
    _add_bound(parser)
    parser.add_argument("--out", required=True, metavar="Q", help="the quantized prototxt to write")
    parser.add_argument("--out-weights", metavar="W2", help="write the weights that belong to it, too")
    add_run(parser)
    add_preprocess(parser)


def add_validation(bound: argparse._ArgumentGroup) -> None:
    """The labelled images on which a bound on the accuracy is held, and the blob with the scores."""
    bound.add_argument("--validate", metavar="LIST", help="the labelled images: 'path label' lines")
    bound.add_argument("--validate-root", metavar="DIR", help="folder of that list's images (default: the list's)")
    bound.add_argument("--validate-dataset", metavar="KIND:PATH", help="instead of --validate, as in eval")
    bound.add_argument("--validate-limit", type=positive, metavar="N", help="only the first N of them")
    bound.add_argument("--output", metavar="BLOB", help="the blob that holds the scores (default: the net's only output of that kind)")


def _add_bound(parser: argparse.ArgumentParser) -> None:
    bound = parser.add_argument_group("a bound on the accuracy lost")
    bound.add_argument("--max-drop", type=float, metavar="POINTS", help="return the layers that matter most to floating point until top-1 on "
                       "labelled images is lower by no more; exit with 1 if that leaves none in INT8")
    add_validation(bound)
    bound.add_argument("--ranking-subset", type=positive, default=64, metavar="N", help="rank layers by the first N calibration images (default 64)")
    bound.add_argument("--precision", choices=("int8", "mlu"), default="int8", help="the arithmetic that is measured: int8, or mlu: as on the "
                       "vendor's card (default int8)")


def check_quantize(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError
    """
    given = (args.images is not None) + (args.dataset is not None)
    changing = [f"--{name}" for name, on in (("bias-correction", args.bias_correction), ("equalize", args.equalize),
                                            ("weight-rounding adaptive", args.weight_rounding == "adaptive")) if on]
    run = args.bias_correction or args.weight_rounding == "adaptive"
    needed = args.from_table is None or run or args.max_drop is not None
    if given > 1 or (needed and not given):
        raise UsageError("quantize takes its calibration images from --images LIST or --dataset KIND:PATH; give one of them")
    if changing and args.out_weights is None:
        raise UsageError(f"{' and '.join(changing)} changes the weights; say with --out-weights where to write them")
    if args.percentile is not None and args.method != "percentile":
        raise UsageError(f"--percentile belongs to --method percentile, not to {args.method}")
    if run and (args.dtype != "int8" or find_method(args.method).SETTLED):
        raise UsageError(f"{changing[0]} needs --dtype int8 and a method other than vendor: it looks at layers in INT8 and at what they read")
    validation = (args.validate is not None) + (args.validate_dataset is not None)
    if validation != (args.max_drop is not None):
        raise UsageError("--max-drop POINTS and the labelled images it is measured on, --validate LIST or --validate-dataset KIND:PATH, belong "
                         "together")
    if args.max_drop is not None and args.dtype != "int8":
        raise UsageError("--max-drop measures INT8; it does not go with --dtype int16")


def calibration_options(args: argparse.Namespace) -> CalibrationOptions:
    """What the method is told."""
    share = {} if args.percentile is None else {"kept_percent": args.percentile}
    return CalibrationOptions(weight_ranges=args.weight_ranges, **share)

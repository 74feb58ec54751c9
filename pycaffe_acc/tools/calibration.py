"""`eval --calibration`: a float net, quantized in memory before it is evaluated."""
from __future__ import annotations

import argparse

from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.quantize.method import METHODS, find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import image_input, positive, set_batch
from pycaffe_acc.tools.quantize import batches

#: precisions that compute in INT8
_CODED = ("int8", "mlu")
#: images in one forward of the calibration
_BATCH = 8


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """--calibration and its images."""
    group = parser.add_argument_group("quantize the net in memory first, for --precision int8 or mlu; nothing is written")
    group.add_argument("--calibration", choices=METHODS, metavar="METHOD", help=f"how ranges are found: {', '.join(METHODS)}")
    group.add_argument("--calibration-images", metavar="LIST", help="text file of 'path label' lines; should be other images than those of the "
                       "evaluation")
    group.add_argument("--calibration-root", metavar="DIR", help="folder of that list's images (default: the list's)")
    group.add_argument("--calibration-dataset", metavar="KIND:PATH", help="instead of --calibration-images, as --dataset")
    group.add_argument("--calibration-limit", type=positive, metavar="N", help="only the first N of them")


def check_calibration(args: argparse.Namespace) -> None:
    """Refuse combinations that make no sense, before any file is read.

    Raises
    ------
    UsageError
    """
    given = (args.calibration_images is not None) + (args.calibration_dataset is not None)
    if args.calibration is None:
        if given or args.calibration_root is not None or args.calibration_limit is not None:
            raise UsageError("calibration images belong to --calibration METHOD; give the method, too")
        return
    if args.precision not in _CODED:
        raise UsageError(f"--calibration {args.calibration} quantizes to INT8, and --precision is {args.precision}; give --precision int8 or mlu")
    if given != 1:
        raise UsageError("--calibration needs images to find ranges on: --calibration-images LIST or --calibration-dataset KIND:PATH")


def open_calibrated(args: argparse.Namespace, preprocess: Preprocess) -> tuple[Net, dict[str, object]]:
    """The net that the options describe, quantized, with its batch set.

    Parameters
    ----------
    args : argparse.Namespace
    preprocess : Preprocess
        Of the images of both sets.

    Returns
    -------
    Net
    dict
        Method, images and their number, for the report.

    Raises
    ------
    CaffeError
        As `Quantizer`, and for images that cannot be read.
    """
    quantizer = Quantizer(args.model, args.weights, find_method(args.calibration), vendor_exact=args.vendor_exact, threads=args.threads)
    dataset = _images(args, preprocess)
    source = image_input(quantizer.net)
    count = min(args.calibration_limit or len(dataset), len(dataset))
    quantizer.calibrate(source, batches(dataset, preprocess, quantizer.net.blobs[source].shape, count, _BATCH))
    quantizer.finish()
    net = quantizer.open(args.precision)
    if args.batch is not None:
        set_batch(net, args.batch)
    return net, {"method": args.calibration, "dataset": dataset.name, "images": count}


def _images(args: argparse.Namespace, preprocess: Preprocess) -> Dataset:
    return open_dataset(args.calibration_dataset or f"list:{args.calibration_images}", args.calibration_root,
                        preprocess.resizer.startswith("pycaffe"))

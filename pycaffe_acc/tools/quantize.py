"""`quantize`: a float net and images → a quantized net."""
from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from tqdm import tqdm

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.evaluation.feeder import Feeder
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16
from pycaffe_acc.quantize.method import METHODS, find_method
from pycaffe_acc.quantize.quantize_net import QuantizedLayer, Quantizer
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import add_model, image_input, positive
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess

NAME = "quantize"
HELP = "calibrate a net with images and write it with 8-bit (or 16-bit) parameters"

_DTYPES = {"int8": DT_INT8, "int16": DT_INT16}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, images, method, results."""
    add_model(parser)
    source = parser.add_argument_group("calibration images")
    source.add_argument("--images", metavar="LIST", help="text file of 'path label' lines")
    source.add_argument("--root", metavar="DIR", help="folder of the list's images (default: the list's)")
    source.add_argument("--dataset", metavar="KIND:PATH", help="instead of --images, as in eval")
    source.add_argument("--limit", type=positive, metavar="N", help="only the first N images")
    parser.add_argument("--method", choices=METHODS, default="absmax", help="; ".join(f"{m}: {find_method(m).HELP}" for m in METHODS))
    parser.add_argument("--dtype", choices=tuple(_DTYPES), default="int8", help="whole numbers of how many bits (default int8)")
    parser.add_argument("--first-convolution", action="store_true", help="the net takes raw pixels: mean and scale become fields of its first "
                        "convolution")
    parser.add_argument("--out", required=True, metavar="Q", help="the quantized prototxt to write")
    parser.add_argument("--out-weights", metavar="W2", help="write the weights that belong to it, too")
    parser.add_argument("--batch", type=positive, default=8, metavar="N", help="images in one forward (default 8)")
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots (default: the CPUs this process may use)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe (the method vendor "
                        "always does)")
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate and write."""
    if (args.images is None) == (args.dataset is None):
        raise UsageError("quantize takes its calibration images from --images LIST or --dataset KIND:PATH; give one of them")
    for path, what in ((args.model, "prototxt"), (args.weights, "weights")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    preprocess = open_preprocess(args)
    mean, factor = per_channel(preprocess) if args.first_convolution else ((), 1.0)
    dataset = open_dataset(args.dataset or f"list:{args.images}", args.root, preprocess.resizer.startswith("pycaffe"))
    quantizer = Quantizer(args.model, args.weights, find_method(args.method), _DTYPES[args.dtype], mean, factor, args.first_convolution,
                          args.vendor_exact, args.threads)
    blob = image_input(quantizer.net)
    feeding = replace(preprocess, mean=None, std=None, scale=1.0) if args.first_convolution else preprocess
    count = min(args.limit or len(dataset), len(dataset))
    seen = quantizer.calibrate(blob, batches(dataset, feeding, quantizer.net.blobs[blob].shape, count, args.batch))
    layers = quantizer.finish()
    quantizer.save(args.out, args.out_weights)
    inside = " (mean and scale inside the net)" if args.first_convolution else ""
    document = {"model": args.model, "output": args.out, "weights": args.out_weights, "method": args.method, "dtype": args.dtype, "images": seen,
                "preprocess": preprocess.describe() + inside, "layers": [_row(layer) for layer in layers]}
    weighted = sum(layer.weights is not None for layer in layers)
    emit(args, document, f"wrote {args.out}: {args.dtype} by method {args.method}, {weighted} layers with weights and {len(layers) - weighted} "
         f"without, {seen} images\npreprocessing {document['preprocess']}")
    return 0


def per_channel(preprocess: Preprocess) -> tuple[tuple[float, ...], float]:
    """Mean and factor of a profile, as a first convolution holds them: (x - mean) * factor.

    Raises
    ------
    UsageError
        For a mean image, or a std that differs between channels.
    """
    std = set(preprocess.std or (1.0,))
    if preprocess.mean_image is not None or len(std) != 1:
        raise UsageError("--first-convolution takes one mean a channel and one std for all; this preprocessing has "
                         + ("a mean image" if preprocess.mean_image is not None else f"std {preprocess.std}"))
    factor = preprocess.scale / std.pop()
    if not math.isfinite(factor) or factor == 0:
        raise UsageError(f"--first-convolution: the input would be multiplied by {factor:g}; check --scale and --std")
    return preprocess.mean or (0.0,), factor


def batches(dataset: Dataset, preprocess: Preprocess, shape: tuple[int, ...], count: int, batch: int) -> Iterator[np.ndarray]:
    """Prepared images, `batch` at a time; fewer in the last one.

    Parameters
    ----------
    dataset : Dataset
    preprocess : Preprocess
    shape : tuple of int
        (N, C, H, W) of the net's input.
    count : int
        How many images, from the first.
    batch : int

    Yields
    ------
    (n, C, H, W) float32
    """
    feeder = Feeder(dataset, lambda pixels: preprocess.apply(pixels, shape), (shape[1], shape[2], shape[3]), count, batch, os.cpu_count() or 1)
    parts = iter(feeder)
    with tqdm(total=count, unit="images", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for start in range(0, count, batch):
            wanted = min(batch, count - start)
            rows: list[np.ndarray] = []
            while sum(map(len, rows)) < wanted:
                rows += [part.values for part in islice(parts, 1)]
            bar.update(wanted)
            yield np.concatenate(rows)


def _row(layer: QuantizedLayer) -> dict:
    return {"layer": layer.name, "type": layer.type, "bottoms": [p and p._asdict() for p in layer.bottoms],
            "weights": layer.weights and layer.weights._asdict()}

"""`meanAP_VOC`: mean average precision of result files against PASCAL VOC annotations."""
from __future__ import annotations

import argparse
from pathlib import Path

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.voc_map import class_precisions, image_names, read_annotation, read_detections
from pycaffe_acc.tools.console import emit

NAME = "meanAP_VOC"
HELP = "mean average precision of detections, as the vendor's script of this name computes it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A list and two folders."""
    parser.add_argument("images", metavar="LIST", type=Path, help="image names, one a line")
    parser.add_argument("results", metavar="RESULTDIR", type=Path, help="NAME.txt of each image: lines 'class score xmin ymin xmax ymax'")
    parser.add_argument("annotations", metavar="ANNOTATIONS", type=Path, help="NAME.xml of each image")


def run(args: argparse.Namespace) -> int:
    """Read all files, print a line a class and the mean."""
    names = image_names(args.images)
    truths = [read_annotation(args.annotations / f"{name}.xml") for name in names]
    detections = [read_detections(args.results / f"{name}.txt") for name in names]
    classes = class_precisions(truths, detections, vendor_exact=True)
    if not classes:
        raise CheckError(f"the annotations of the {len(names)} images in '{args.images}' have no object to be found, so there is no mean")
    mean = sum(classes.values()) / len(classes)
    document = {"map": mean, "classes": classes, "images": len(names), "objects": sum(not t.difficult for image in truths for t in image),
                "detections": sum(len(image) for image in detections)}
    emit(args, document, "\n".join([*(f"AP of {name}: {value:f}" for name, value in classes.items()), f"mAP: {mean:f}"]))
    return 0

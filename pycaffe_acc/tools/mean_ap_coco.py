"""`meanAP_COCO`: COCO's twelve figures of result files against a COCO annotation file."""
from __future__ import annotations

import argparse
from pathlib import Path

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.coco_annotations import read_annotations, read_results
from pycaffe_acc.evaluation.coco_map import coco_figures
from pycaffe_acc.evaluation.voc_map import image_names
from pycaffe_acc.tools.console import emit

NAME = "meanAP_COCO"
HELP = "average precision and recall of detections by COCO's rules, as the vendor's script of this name prints them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The vendor's options, and how coordinates are meant."""
    parser.add_argument("--file_list", required=True, metavar="LIST", type=Path, help="images, one a line")
    parser.add_argument("--result_dir", required=True, metavar="DIR", type=Path, help="NAME.txt of each: lines 'class score xmin ymin xmax ymax'")
    parser.add_argument("--ann_dir", required=True, metavar="DIR", type=Path, help="holds annotations/instances_TYPE.json")
    parser.add_argument("--data_type", default="val2014", metavar="TYPE", help="which annotation file (default val2014)")
    parser.add_argument("--coordinates", choices=("shares", "pixels"), default="shares", help="shares of the image's size, as this package's "
                        "detection runners write them, or pixels (default shares)")


def run(args: argparse.Namespace) -> int:
    """Read all files, print the table."""
    names = list(dict.fromkeys(image_names(args.file_list)))
    annotations = read_annotations(args.ann_dir / "annotations" / f"instances_{args.data_type}.json")
    detections = read_results(annotations, names, args.result_dir, args.coordinates == "shares")
    truths = {number: annotations.objects[number] for number in detections}
    objects = sum(not t.crowd for found in truths.values() for t in found)
    if not objects:
        raise CheckError(f"the annotations of the {len(names)} images in '{args.file_list}' have no object to be found, so there is no mean")
    figures = coco_figures(truths, detections)
    rows = [{"figure": "AP" if f.precision else "AR", "overlap": f.overlap, "area": f.area, "detections": f.most,
             "value": None if f.value < 0 else f.value} for f in figures]
    document = {"map": figures[0].value, "map50": figures[1].value, "figures": rows, "images": len(names), "objects": objects,
                "detections": sum(map(len, detections.values()))}
    emit(args, document, "\n".join(f.line for f in figures))
    return 0

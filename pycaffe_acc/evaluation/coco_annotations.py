"""Annotation files of COCO, and result files read against them."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.coco_map import CocoDetection, CocoObject
from pycaffe_acc.evaluation.voc_map import read_detections


@dataclass(frozen=True)
class CocoAnnotations:
    """An `instances_*.json`.

    Attributes
    ----------
    numbers : dict of str to int
        Names of images, without suffix, and their numbers.
    sizes : dict of int to (float, float)
        Width and height of each image.
    categories : dict of str to int
        Names with "_" for " ", and their numbers.
    objects : dict of int to list of CocoObject
        Of each image; those that may be missed too.
    """

    path: str
    numbers: dict[str, int]
    sizes: dict[int, tuple[float, float]]
    categories: dict[str, int]
    objects: dict[int, list[CocoObject]]

    def category(self, name: str) -> int | None:
        """The number of a category that a result file names, or gives as a number; None for one that the file does not have."""
        if name.isdecimal():
            return int(name) if int(name) in self.categories.values() else None
        return self.categories.get(name.replace(" ", "_"))

    def image(self, name: str) -> int:
        """The number of an image.

        Raises
        ------
        CheckError
            For one that the file does not have.
        """
        if name not in self.numbers:
            raise CheckError(f"annotations '{self.path}' have no image '{name}'; the list must name images of this set")
        return self.numbers[name]


def read_annotations(path: str | os.PathLike[str]) -> CocoAnnotations:
    """Read an annotation file.

    Raises
    ------
    MissingFileError
    CheckError
        Naming what is missing or wrong in it.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "COCO annotations")
    what = f"annotations '{os.fspath(path)}'"
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        images = {int(i["id"]): i for i in document["images"]}
        objects: dict[int, list[CocoObject]] = {number: [] for number in images}
        for item in document["annotations"]:
            if int(item["image_id"]) not in images:
                raise CheckError(f"{what}: annotation {item.get('id')} belongs to image {item['image_id']}, which is not among the images")
            objects[int(item["image_id"])].append(_object(item, what))
        return CocoAnnotations(os.fspath(path), {Path(i["file_name"]).stem: number for number, i in images.items()},
                               {number: (float(i["width"]), float(i["height"])) for number, i in images.items()},
                               {str(c["name"]).replace(" ", "_"): int(c["id"]) for c in document["categories"]}, objects)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        raise CheckError(f"{what} are no COCO instances file: {type(e).__name__} {e}") from e


def _object(item: Any, what: str) -> CocoObject:
    box = np.array([float(v) for v in item["bbox"]])
    if box.shape != (4,) or not np.isfinite(box).all():
        raise CheckError(f"{what}: annotation {item.get('id')} has the bbox {item['bbox']}; it must be x, y, width, height")
    return CocoObject(int(item["category_id"]), box, float(item.get("area", box[2] * box[3])), bool(item.get("iscrowd", 0)))


def read_results(annotations: CocoAnnotations, names: Sequence[str], folder: Path, shares: bool) -> dict[int, list[CocoDetection]]:
    """The detections of the named images.

    Parameters
    ----------
    annotations : CocoAnnotations
    names : sequence of str
    folder : Path
        Holds NAME.txt of each: lines "class score xmin ymin xmax ymax".
    shares : bool
        Coordinates are shares of the image's width and height; False: pixels.

    Raises
    ------
    MissingFileError
    CheckError
        For lines that are none, naming line and file, and for classes that the annotations do not have.
    """
    found: dict[int, list[CocoDetection]] = {}
    for name in names:
        number, path = annotations.image(name), folder / f"{name}.txt"
        scale = np.array(annotations.sizes[number] * 2) if shares else np.ones(4)
        rows = found[number] = []
        for detection in read_detections(path):
            category = annotations.category(detection.label)
            if category is None:
                raise CheckError(f"result file '{path}' has the class '{detection.label}', which annotations '{annotations.path}' do not have; their "
                                 f"classes: {', '.join(list(annotations.categories)[:10])}{', …' if len(annotations.categories) > 10 else ''}")
            corners = detection.box * scale
            rows.append(CocoDetection(category, detection.score, np.concatenate([corners[:2], corners[2:] - corners[:2]])))
    return found

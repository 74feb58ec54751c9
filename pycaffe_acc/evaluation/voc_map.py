"""Mean average precision of detections against PASCAL VOC annotations."""
from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError

#: a detection counts when it overlaps a box by more than this
OVERLAP = 0.5


class Truth(NamedTuple):
    """An annotated object.

    Attributes
    ----------
    label : str
    box : (4,) float64
        xmin, ymin, xmax, ymax as shares of the image's width and height.
    difficult : bool
        Neither found nor missed counts.
    """

    label: str
    box: np.ndarray
    difficult: bool


class Detection(NamedTuple):
    """A detected object; the box as `Truth`'s."""

    label: str
    score: float
    box: np.ndarray


def read_annotation(path: str | os.PathLike[str]) -> list[Truth]:
    """The objects of a VOC annotation file.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    MissingFileError
    CheckError
        When it is no such file, or the image's size is not positive.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "annotation")
    try:
        root = ElementTree.parse(path).getroot()
        width, height = (float(_text(root, f"size/{side}")) for side in ("width", "height"))
        if not (width > 0 and height > 0):
            raise CheckError(f"annotation '{os.fspath(path)}': the image's size is {width:g} x {height:g}; it must be positive")
        scale = np.array([width, height, width, height])
        return [Truth(_text(item, "name"), np.array([float(_text(item, f"bndbox/{c}")) for c in ("xmin", "ymin", "xmax", "ymax")]) / scale,
                      int(item.findtext("difficult") or 0) != 0) for item in root.findall("object")]
    except (ElementTree.ParseError, ValueError) as e:
        raise CheckError(f"annotation '{os.fspath(path)}' is no PASCAL VOC annotation: {e}") from e


def _text(item: ElementTree.Element, path: str) -> str:
    value = item.findtext(path)
    if value is None:
        raise ValueError(f"<{item.tag}> has no {path}")
    return value.strip()


def read_detections(path: str | os.PathLike[str]) -> list[Detection]:
    """The lines "class score xmin ymin xmax ymax" of a result file; it may be empty.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    MissingFileError
    CheckError
        Naming the line that is none.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "result file")
    found = []
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words:
                continue
            try:
                score, *box = (float(w) for w in words[1:6])
                found.append(Detection(words[0], score, np.array(box).reshape(4)))
            except ValueError as e:
                raise CheckError(f"line {number} of '{os.fspath(path)}' is '{line.strip()}'; it must be a class, a score and xmin ymin xmax ymax as "
                                 "shares of the image's size") from e
    return found


def average_precision(hits: np.ndarray, misses: np.ndarray, objects: int) -> float:
    """Area under the curve of precision over recall, after the precision was made non-increasing (VOC 2010 and later).

    Parameters
    ----------
    hits, misses : (N,) bool
        In order of falling score; detections of difficult objects are neither.
    objects : int
        Number of objects to be found, at least 1.
    """
    tp, fp = np.cumsum(hits), np.cumsum(misses)
    recall = np.concatenate([[0.0], tp / objects])
    precision = tp / np.maximum(tp + fp, np.finfo(np.float64).eps)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * envelope))


def class_precisions(truths: Sequence[Sequence[Truth]], detections: Sequence[Sequence[Detection]], vendor_exact: bool = False) -> dict[str, float]:
    """Average precision of every class that has objects; the mean over them is the mAP.

    A detection belongs to the object of its class and image that it overlaps most, if by more than one half (areas without the added pixel of the VOC
    kit). The first detection of an object is right, later ones are wrong. With `vendor_exact`, as in the vendor's script, objects that were found are
    out of the way, so a later detection may belong to another object that it overlaps by more than one half.

    Parameters
    ----------
    truths, detections : sequence of sequences
        For each image.
    vendor_exact : bool

    Returns
    -------
    dict of str to float
        In order of names. A class without detections has 0. Classes whose objects are all difficult are left out.
    """
    labels = sorted({t.label for image in truths for t in image if not t.difficult})
    return {label: _class_precision([[t for t in image if t.label == label] for image in truths],
                                    [(i, d) for i, image in enumerate(detections) for d in image if d.label == label], vendor_exact)
            for label in labels}


def _class_precision(truths: list[list[Truth]], detections: list[tuple[int, Detection]], vendor_exact: bool) -> float:
    boxes = [np.array([t.box for t in image]).reshape(-1, 4) for image in truths]
    free = [np.ones(len(image), bool) for image in truths]
    order = np.argsort([-d.score for _, d in detections], kind="stable")
    hits, misses = np.zeros(len(order), bool), np.zeros(len(order), bool)
    for n, k in enumerate(order):
        image, detection = detections[k]
        overlaps = overlap(boxes[image], detection.box)
        if vendor_exact:
            overlaps = np.where(free[image], overlaps, 0.0)
        best = int(overlaps.argmax()) if overlaps.size else -1
        if best < 0 or not overlaps[best] > OVERLAP:
            misses[n] = True
        elif not truths[image][best].difficult:
            hits[n], misses[n] = free[image][best], not free[image][best]
            free[image][best] = False
    return average_precision(hits, misses, sum(not t.difficult for image in truths for t in image))


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union; 0 where the union is empty.

    Parameters
    ----------
    boxes : (N, 4)
    box : (4,)

    Returns
    -------
    (N,) float64
    """
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    common = np.maximum(sides, 0).prod(axis=1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod() - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def image_names(path: str | os.PathLike[str]) -> list[str]:
    """The images of a list, without folders and suffixes; what follows a blank behind the suffix (a label) goes with it.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    MissingFileError
    CheckError
        When the list is empty.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "image list")
    lines = Path(path).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    names = [os.path.splitext(os.path.basename(line.strip()))[0] for line in lines if line.strip()]
    if not names:
        raise CheckError(f"the image list '{os.fspath(path)}' is empty")
    return names

"""YOLOv2's output layer in the vendor's forks."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RegionOptions:
    """detection_out_param.

    Attributes
    ----------
    side, classes, boxes : int
        Cells a side, classes, boxes a cell.
    confidence, overlap : float
    anchors : tuple of float
        Width and height of each box, in cells.
    form : {"clean", "MLU100", "MLU270"}
        The vendor's MLU100 fork takes the best class of each box, suppresses in the order of the cells over all classes, and begins the next image
        with the boxes of the ones before it. Its MLU270 fork takes every class above the threshold and suppresses a class in the order of scores, but
        keeps the boxes of earlier images, too. "clean" is the second without that.
    """

    side: int
    classes: int
    boxes: int
    confidence: float
    overlap: float
    anchors: tuple[float, ...]
    form: str = "clean"


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def region_boxes(x: np.ndarray, options: RegionOptions) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and class confidences of one image.

    Parameters
    ----------
    x : (C, side, side) ndarray, C = boxes * (5 + classes)
    options : RegionOptions

    Returns
    -------
    boxes : (cells * boxes, 4) float32 ndarray
        Centre and size as fractions of the image, cell after cell.
    confidences : (cells * boxes, classes) float32 ndarray
    """
    o = options
    t = np.asarray(x, np.float32).transpose(1, 2, 0).reshape(o.side, o.side, o.boxes, -1)
    j, i = np.meshgrid(np.arange(o.side), np.arange(o.side), indexing="ij")
    cells = np.stack([i, j], axis=-1)[:, :, None].astype(np.float32)
    anchors = np.asarray(o.anchors, np.float32).reshape(-1, 2)[:o.boxes]
    centre, size = (cells + _sigmoid(t[..., :2])) / o.side, np.exp(t[..., 2:4]) * anchors / o.side
    logits = t[..., 5:5 + o.classes]
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    confidences = _sigmoid(t[..., 4:5]) * (e / e.sum(axis=-1, keepdims=True))
    return np.concatenate([centre, size], axis=-1).reshape(-1, 4), confidences.reshape(-1, o.classes)


def overlaps(boxes: np.ndarray, i: int) -> np.ndarray:
    """Intersection over union of box i with all boxes (centre and size, limited to the image)."""
    low, high = np.maximum(boxes[:, :2] - boxes[:, 2:] / 2, 0), np.minimum(boxes[:, :2] + boxes[:, 2:] / 2, 1)
    areas = np.where((high < low).any(axis=1), 0, (high - low).prod(axis=1))
    sides = np.minimum(high, high[i]) - np.maximum(low, low[i])
    common = np.where((sides > 0).all(axis=1), sides.prod(axis=1), 0)
    with np.errstate(all="ignore"):
        return np.where(common > 0, common / (areas + areas[i] - common), 0)


def _suppressed(boxes: np.ndarray, threshold: float) -> np.ndarray:
    """Which boxes stay when each, in the given order, removes the later ones that overlap it."""
    alive = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if alive[i]:
            later = overlaps(boxes, i) >= threshold
            later[:i + 1] = False
            alive[later] = False
    return alive


def region_output(x: np.ndarray, options: RegionOptions) -> np.ndarray:
    """Rows (image, class, confidence, x, y, width, height) of a batch.

    Returns
    -------
    (1, 1, K, 7) float32 ndarray
        (1, K, 1, 7) for the form "MLU270". Without detections: for "clean" one row an image (image, -1, …), else no row.
    """
    rows = _mlu100(x, options) if options.form == "MLU100" else _by_class(x, options)
    if options.form == "MLU270":
        return rows[None, :, None]
    if not len(rows) and options.form == "clean":
        rows = np.full((len(x), 7), -1, np.float32)
        rows[:, 0] = np.arange(len(x))
    return rows[None, None]


def _mlu100(x: np.ndarray, o: RegionOptions) -> np.ndarray:
    boxes, best, first = np.empty((0, 4), np.float32), np.empty((0, 2), np.float32), {}
    for image in range(len(x)):
        b, c = region_boxes(x[image], o)
        label = c.argmax(axis=1)
        score = c[np.arange(len(c)), label]
        keep = score >= np.float32(o.confidence)
        boxes = np.concatenate([boxes, b[keep]])
        best = np.concatenate([best, np.stack([label, score], axis=1)[keep].astype(np.float32)])
        for i in np.flatnonzero(_suppressed(boxes, o.overlap)):
            first.setdefault(int(i), image)
    order = sorted(first)
    rows = np.empty((len(order), 7), np.float32)
    rows[:, 0], rows[:, 1:3], rows[:, 3:] = [first[i] for i in order], best[order], boxes[order]
    return rows


def _by_class(x: np.ndarray, o: RegionOptions) -> np.ndarray:
    rows: list[np.ndarray] = [np.empty((0, 7), np.float32)]
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for image in range(len(x)):
        seen = [*seen, region_boxes(x[image], o)] if o.form == "MLU270" else [region_boxes(x[image], o)]
        boxes, confidences = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        for label in range(o.classes):
            candidates = np.flatnonzero(confidences[:, label] > np.float32(o.confidence))
            order = candidates[np.argsort(-confidences[candidates, label], kind="stable")]
            kept = order[_suppressed(boxes[order], o.overlap)]
            part = np.empty((len(kept), 7), np.float32)
            part[:, 0], part[:, 1], part[:, 2], part[:, 3:] = image, label, confidences[kept, label], boxes[kept]
            rows.append(part)
    return np.concatenate(rows)

"""YOLOv3's output layer in the vendor's MLU270 fork."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnml.reference.nms import Suppression, descending, nms

#: numbers in front of the rows; the first one counts the rows
HEADER = 64


@dataclass(frozen=True)
class Yolov3Options:
    """yolov3_param.

    Attributes
    ----------
    classes, boxes : int
        `boxes` is the largest number of rows an image.
    confidence, overlap : float
    anchors : int
        A cell.
    sizes : tuple of float
        Width and height of every anchor in pixels, input after input.
    image : tuple of int
        Height and width of the net's input.
    """

    classes: int
    boxes: int
    confidence: float
    overlap: float
    anchors: int
    sizes: tuple[float, ...]
    image: tuple[int, int]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def yolov3_boxes(x: np.ndarray, sizes: np.ndarray, options: Yolov3Options) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corner boxes in pixels, objectness and class probabilities of one image and feature map (C, H, W), cell after cell."""
    o = options
    _, height, width = x.shape
    t = np.asarray(x, np.float32).transpose(1, 2, 0).reshape(height, width, o.anchors, 5 + o.classes)
    j, i = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    cells = np.stack([i, j], axis=-1)[:, :, None].astype(np.float32)
    stride = np.float32(int(o.image[1] / np.sqrt(height * width)))
    centre, half = stride * (_sigmoid(t[..., :2]) + cells), np.exp(t[..., 2:4]) * sizes / np.float32(2)
    boxes = np.concatenate([centre - half, centre + half], axis=-1).reshape(-1, 4)
    return boxes, _sigmoid(t[..., 4]).reshape(-1), _sigmoid(t[..., 5:]).reshape(-1, o.classes)


def yolov3_detection(maps: Sequence[np.ndarray], options: Yolov3Options, select: Suppression = nms) -> np.ndarray:
    """The count of rows in front, then rows (image, class, score, x1, y1, x2, y2) with coordinates as fractions of the image; -1 elsewhere.

    Parameters
    ----------
    maps : sequence of (N, anchors * (5 + classes), H, W)
    options : Yolov3Options
    select : Suppression

    Returns
    -------
    (1, N * (7 * boxes + 64), 1, 1) float32 ndarray
    """
    o, n = options, len(maps[0])
    sizes = np.asarray(o.sizes, np.float32).reshape(len(maps), o.anchors, 2)
    rows = np.concatenate([_image(k, [yolov3_boxes(m[k], s, o) for m, s in zip(maps, sizes, strict=True)], o, select) for k in range(n)])
    rows = rows[:n * o.boxes]
    out = np.full(n * (7 * o.boxes + HEADER), -1, np.float32)
    out[0] = len(rows)
    out[HEADER:HEADER + rows.size] = rows.reshape(-1)
    return out.reshape(1, -1, 1, 1)


def _image(number: int, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], o: Yolov3Options, select: Suppression) -> np.ndarray:
    boxes, objects, classes = (np.concatenate(p) for p in zip(*parts, strict=True))
    seen = objects > np.float32(o.confidence)
    boxes, scores = boxes[seen], objects[seen, None] * classes[seen]
    scores[scores <= np.float32(o.confidence)] = 0
    order = np.arange(len(boxes))
    for label in range(o.classes):
        # the boxes stay in the order of the class before among equal scores, which decides the order of the rows
        order = order[descending(scores[order, label])]
        candidates = order[scores[order, label] > 0]
        removed = np.ones(len(boxes), bool)
        removed[select(boxes, candidates, o.overlap, margin=1.0)] = False
        scores[removed, label] = 0
    found, label = np.nonzero(scores[order] > np.float32(o.confidence))
    rows = np.empty((len(found), 7), np.float32)
    rows[:, 0], rows[:, 1], rows[:, 2] = number, label, scores[order][found, label]
    height, width = o.image
    rows[:, 3:] = boxes[order][found] / np.array([width, height, width, height], np.float32)
    return rows

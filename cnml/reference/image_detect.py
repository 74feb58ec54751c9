"""The last step of Faster R-CNN in the vendor's MLU270 fork."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ImageDetectOptions:
    """image_detect_param."""

    classes: int = 21
    height: int = 224
    width: int = 224
    scale: float = 1.0
    overlap: float = 0.3
    confidence: float = 0.05


def image_detect(offsets: np.ndarray, scores: np.ndarray, rois: np.ndarray, options: ImageDetectOptions) -> np.ndarray:
    """Boxes of all classes after suppression, rows (x1, y1, x2, y2, class, score), zeros behind them.

    Suppression compares each box with the later ones (not in the order of scores) and measures the overlap in whole pixels, as the fork does.

    Parameters
    ----------
    offsets : (R, 4 * classes)
    scores : (R, classes)
    rois : (R, 5)
    options : ImageDetectOptions

    Returns
    -------
    (1, R * classes, 1, 6) float32 ndarray
    """
    o, n = options, len(offsets)
    t = np.asarray(offsets, np.float32).reshape(n, -1, 4)[:, :o.classes]
    p = np.asarray(scores, np.float32).reshape(n, -1)
    r = np.asarray(rois, np.float32).reshape(n, 5)[:, 1:] / np.float32(o.scale)
    size = (r[:, 2:] - r[:, :2] + np.float32(1))[:, None]
    centre = r[:, None, :2] + size / np.float32(2) + size * t[..., :2]
    half = np.float32(0.5) * (np.exp(t[..., 2:]) * size)
    limits = np.array([o.width, o.height], np.float32)
    low, high = np.maximum(centre - half, 0), centre + half
    high = np.where(high < limits, high, limits - 1)
    boxes = np.concatenate([low, high], axis=-1)
    areas = (high - low).prod(axis=-1)
    rows = [np.array([*boxes[i, c], c, p[i, c]], np.float32) for c in range(o.classes) for i in _survivors(boxes[:, c], areas[:, c], p[:, c], o)]
    out = np.zeros((1, n * (np.shape(offsets)[1] // 4), 1, 6), np.float32)
    if rows:
        out[0, :len(rows), 0] = rows
    return out


def _survivors(boxes: np.ndarray, areas: np.ndarray, scores: np.ndarray, o: ImageDetectOptions) -> list[int]:
    alive = np.ones(len(boxes), bool)
    found = []
    for i in range(len(boxes)):
        if not alive[i]:
            continue
        sides = np.minimum(boxes[i, 2:], boxes[i + 1:, 2:]) - np.maximum(boxes[i, :2], boxes[i + 1:, :2])
        common = np.maximum(np.trunc(sides), 0).prod(axis=1)
        # a division by zero gives NaN, which the fork counts as an overlap
        overlaps = ~(common / (areas[i] + areas[i + 1:] - common) < np.float32(o.overlap))
        better = overlaps & (scores[i + 1:] > scores[i])
        stop = int(np.argmax(better)) if better.any() else len(better)
        alive[i + 1:][:stop][overlaps[:stop]] = False
        alive[i] = not better.any()
        if alive[i] and scores[i] > np.float32(o.confidence):
            found.append(i)
    return found

"""Region proposals (Faster R-CNN): boxes from anchors and offsets, suppression, the best of the image."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnml.reference.nms import Suppression, descending, nms


@dataclass(frozen=True)
class ProposalOptions:
    """py-faster-rcnn's settings (its names in brackets).

    Attributes
    ----------
    stride : float
        Pixels between anchors [feat_stride].
    base_size : int
        Side of the anchor that the ratios and scales multiply.
    ratios, scales : tuple of float
    min_size : float
        Smallest side in pixels of the unscaled image.
    candidates, results : int
        Best boxes before and after suppression [pre_nms_topN, post_nms_topN]; not positive: all.
    overlap : float
    """

    stride: float = 16.0
    base_size: int = 16
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    scales: tuple[float, ...] = (8.0, 16.0, 32.0)
    min_size: float = 16.0
    candidates: int = 6000
    results: int = 300
    overlap: float = 0.7


def generate_anchors(base_size: int, ratios: tuple[float, ...], scales: tuple[float, ...]) -> np.ndarray:
    """Anchor windows around the first cell: for each ratio all scales (sides rounded before scaling).

    Returns
    -------
    (ratios * scales, 4) float64 ndarray: x1, y1, x2, y2
    """
    centre = (base_size - 1) / 2
    rows = []
    for ratio in ratios:
        width = np.round(np.sqrt(base_size * base_size / ratio))
        height = np.round(width * ratio)
        for scale in scales:
            w, h = (width * scale - 1) / 2, (height * scale - 1) / 2
            rows.append((centre - w, centre - h, centre + w, centre + h))
    return np.array(rows)


def shifted_anchors(anchors: np.ndarray, height: int, width: int, stride: float) -> np.ndarray:
    """The anchors at each cell, as (height, width, anchors, 4)."""
    x, y = np.meshgrid(np.arange(width) * stride, np.arange(height) * stride)
    return anchors + np.stack([x, y, x, y], axis=-1)[:, :, None, :]


def moved_boxes(anchors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes from anchors and (dx, dy, dw, dh): centres move by dx * width, sides grow by exp; float32 arithmetic, last axis 4."""
    a, t = np.asarray(anchors, np.float32), np.asarray(offsets, np.float32)
    size = a[..., 2:] - a[..., :2] + np.float32(1)
    centre = a[..., :2] + np.float32(0.5) * size + t[..., :2] * size
    half = np.float32(0.5) * np.exp(t[..., 2:]) * size
    return np.concatenate([centre - half, centre + half], axis=-1)


def proposal(scores: np.ndarray, offsets: np.ndarray, info: np.ndarray, options: ProposalOptions,
             select: Suppression = nms) -> tuple[np.ndarray, np.ndarray]:
    """The proposals of one image.

    Parameters
    ----------
    scores : (1, 2 A, H, W)
        Background scores of the anchors, then foreground scores.
    offsets : (1, 4 A, H, W)
    info : (1, 3) or more
        Height and width of the net's input image, and its scale.
    options : ProposalOptions
    select : Suppression

    Returns
    -------
    rois : (R, 5) float32 ndarray
        Rows (0, x1, y1, x2, y2).
    scores : (R, 1) float32 ndarray
    """
    anchors = generate_anchors(options.base_size, options.ratios, options.scales)
    count, (height, width) = len(anchors), scores.shape[2:]
    image_h, image_w, scale = (float(v) for v in np.asarray(info).reshape(-1)[:3])
    t = np.asarray(offsets).reshape(count, 4, height, width).transpose(2, 3, 0, 1)
    boxes = moved_boxes(shifted_anchors(anchors, height, width, options.stride), t).reshape(-1, 4)
    boxes[:, 0::2] = np.clip(boxes[:, 0::2], 0, image_w - 1)
    boxes[:, 1::2] = np.clip(boxes[:, 1::2], 0, image_h - 1)
    foreground = np.asarray(scores, np.float32)[0, count:].transpose(1, 2, 0).reshape(-1)
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    large = np.flatnonzero((sides >= options.min_size * scale).all(axis=1))
    order = large[descending(foreground[large], options.candidates if options.candidates > 0 else -1)]
    kept = select(boxes, order, options.overlap, margin=1.0, limit=options.results if options.results > 0 else -1)
    rois = np.zeros((len(kept), 5), np.float32)
    rois[:, 1:] = boxes[kept]
    return rois, foreground[kept, None]

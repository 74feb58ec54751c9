"""The proposal layer of the vendor's MLU270 fork: a fixed number of rows, its own anchors, thresholds in other places."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnml.reference.nms import Suppression, descending, nms
from cnml.reference.proposal import shifted_anchors

DEFAULT_ANCHORS = np.array([
    (-84, -40, 99, 55), (-176, -88, 191, 103), (-360, -184, 375, 199), (-56, -56, 71, 71), (-120, -120, 135, 135), (-248, -248, 263, 263),
    (-36, -80, 51, 95),
    (-80, -168, 95, 183), (-168, -344, 183, 359)], np.float32)


@dataclass(frozen=True)
class MluProposalOptions:
    """Fields of the vendor's proposal_param.

    Attributes
    ----------
    anchors : int
        Anchors a cell.
    stride : float
    min_width, min_height : float
        Smallest box, multiplied by the scale of the image.
    candidates, results : int
        Best boxes before suppression [top_num], rows of the output [nms_num].
    overlap : float
    image : tuple of float
        Height, width and scale, when no im_info says otherwise (its height is not 0).
    ratios, scales : tuple of float
        None: the nine default anchors.
    base_size : int
    pvanet : bool
        Sides rounded, ratios outside.
    nproposal : bool
        Small boxes get the score 0 instead of being left out; rows are (x1, y1, x2, y2, score).
    """

    anchors: int = 9
    stride: float = 16.0
    min_width: float = 25.6
    min_height: float = 25.6
    candidates: int = 12000
    results: int = 2000
    overlap: float = 0.7
    image: tuple[float, float, float] = (720.0, 1280.0, 1.0)
    ratios: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()
    base_size: int = 16
    pvanet: bool = False
    nproposal: bool = False


def mlu_anchors(options: MluProposalOptions) -> np.ndarray:
    """Anchor windows around the first cell, (anchors, 4) float32."""
    if not options.ratios:
        return DEFAULT_ANCHORS
    base = float(options.base_size)
    # both constants come from integer fields held in floats there: the half of 15 is 7.5
    centre, rows = (base - 1) / 2, []
    if options.pvanet or options.nproposal:
        for ratio in options.ratios:
            root = np.sqrt(ratio)
            width = np.floor(base / root + 0.5)
            height = np.floor(width * root * root + 0.5)
            rows += [((width * s - 1) / 2, (height * s - 1) / 2) for s in options.scales]
    else:
        rows = [(base / 2 / np.sqrt(r) * s, base / 2 * np.sqrt(r) * s) for s in options.scales for r in options.ratios]
    half = np.array(rows)
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def mlu_proposal(scores: np.ndarray, offsets: np.ndarray, info: np.ndarray | None, options: MluProposalOptions,
                 select: Suppression = nms) -> np.ndarray:
    """`results` rows (0, x1, y1, x2, y2), zeros after the last box.

    Parameters
    ----------
    scores : (1, 2 A, H, W)
    offsets : (1, 4 A, H, W)
    info : ndarray of at least 3 values, or None
    options : MluProposalOptions
    select : Suppression

    Returns
    -------
    (results, 5) float32 ndarray
    """
    o, (height, width) = options, scores.shape[2:]
    image_h, image_w, scale = o.image
    if info is not None and info.reshape(-1)[0] != 0:
        image_h, image_w, scale = (float(v) for v in info.reshape(-1)[:3])
    a = shifted_anchors(mlu_anchors(o)[:o.anchors], height, width, o.stride).astype(np.float32)
    t = np.asarray(offsets, np.float32)[0].reshape(o.anchors, 4, height, width).transpose(2, 3, 0, 1)
    size = a[..., 2:] - a[..., :2] + np.float32(1)
    centre = (a[..., :2] + a[..., 2:] + np.float32(1)) / np.float32(2) + t[..., :2] * size
    half = np.exp(t[..., 2:]) * size / np.float32(2)
    low, high = np.maximum(centre - half, np.float32(0)), np.minimum(centre + half, np.array([image_w - 1, image_h - 1], np.float32))
    boxes = np.concatenate([low, high], axis=-1)
    foreground = np.asarray(scores, np.float32)[0, o.anchors:2 * o.anchors]
    if o.nproposal:
        boxes, foreground = boxes.reshape(-1, 4), foreground.transpose(1, 2, 0).reshape(-1).copy()
    else:
        boxes, foreground = np.ascontiguousarray(boxes.transpose(2, 0, 1, 3)).reshape(-1, 4), foreground.reshape(-1)
    sides = boxes[:, 2:] - boxes[:, :2] + np.float32(1)
    large = (sides[:, 0] >= np.float32(o.min_width * scale)) & (sides[:, 1] >= np.float32(o.min_height * scale))
    return _rows(boxes, foreground, large, o, select)


def _rows(boxes: np.ndarray, foreground: np.ndarray, large: np.ndarray, o: MluProposalOptions, select: Suppression) -> np.ndarray:
    rows = np.zeros((o.results, 5), np.float32)
    if o.nproposal:
        foreground[~large] = 0
        # all boxes take part in the suppression there, only their sorting stops early
        kept = select(boxes, descending(foreground), o.overlap, margin=1.0, limit=o.results)
        rows[:len(kept), :4], rows[:len(kept), 4] = boxes[kept], foreground[kept]
        return rows
    candidates = np.flatnonzero(large)
    kept = select(boxes, candidates[descending(foreground[candidates], o.candidates)], o.overlap, margin=1.0, limit=o.results)
    rows[:len(kept), 1:] = boxes[kept]
    return rows

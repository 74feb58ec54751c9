"""SSD's detection layer: boxes from priors and offsets, suppression per class, the best of an image."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnml.reference.nms import Suppression, descending, nms

CORNER, CENTER_SIZE, CORNER_SIZE = 1, 2, 3


@dataclass(frozen=True)
class DetectionOptions:
    """What the layer's prototxt says.

    Attributes
    ----------
    classes : int
        Background included.
    share_location : bool
        One box a prior for all classes.
    background : int
        Class that is left out; -1: none.
    code_type : int
        CORNER, CENTER_SIZE or CORNER_SIZE.
    variance_encoded : bool
        Offsets are not to be multiplied by the variances.
    confidence : float
        Scores must be above.
    overlap, eta : float
        Suppression threshold, and what it is multiplied by after each kept box while above 0.5.
    top_k, keep_top_k : int
        Candidates a class before suppression, detections an image after it; -1: all.
    clip : bool
        Limit the coordinates to [0, 1] in the result (the vendor's fork, and SSD before 2017).
    one_empty_row : bool
        Without any detection give one row of -1 (the vendor's fork) instead of one row an image that begins with its number.
    """

    classes: int
    share_location: bool = True
    background: int = 0
    code_type: int = CORNER
    variance_encoded: bool = False
    confidence: float = -np.inf
    overlap: float = 0.3
    eta: float = 1.0
    top_k: int = -1
    keep_top_k: int = -1
    clip: bool = False
    one_empty_row: bool = False


def decode_boxes(offsets: np.ndarray, priors: np.ndarray, variances: np.ndarray, code_type: int, variance_encoded: bool) -> np.ndarray:
    """Boxes from the net's offsets.

    Parameters
    ----------
    offsets : (…, P, 4) float32
    priors, variances : (P, 4) float32
    code_type : int
    variance_encoded : bool

    Returns
    -------
    (…, P, 4) float32: xmin, ymin, xmax, ymax
    """
    t = offsets if variance_encoded else offsets * variances
    if code_type == CORNER:
        return priors + t
    size = priors[:, 2:] - priors[:, :2]
    if code_type == CORNER_SIZE:
        return priors + t * np.concatenate([size, size], axis=1)
    centre = (priors[:, :2] + priors[:, 2:]) / np.float32(2) + t[..., :2] * size
    half = np.exp(t[..., 2:]) * size / np.float32(2)
    return np.concatenate([centre - half, centre + half], axis=-1)


def detection_output(loc: np.ndarray, conf: np.ndarray, prior: np.ndarray, options: DetectionOptions, select: Suppression = nms) -> np.ndarray:
    """All detections of a batch.

    Parameters
    ----------
    loc : (N, P * L * 4)
        Offsets; L = 1 or the number of classes.
    conf : (N, P * classes)
    prior : (1, 2, P * 4)
    options : DetectionOptions
    select : Suppression

    Returns
    -------
    (1, 1, K, 7) float32 ndarray
        Rows (image, label, score, xmin, ymin, xmax, ymax): by image, then label, then from high to low score.
    """
    n, o = loc.shape[0], options
    priors, variances = np.asarray(prior, np.float32).reshape(2, -1, 4)
    offsets = np.asarray(loc, np.float32).reshape(n, len(priors), -1, 4).transpose(0, 2, 1, 3)
    boxes = decode_boxes(offsets, priors, variances, o.code_type, o.variance_encoded)
    scores = np.ascontiguousarray(np.asarray(conf, np.float32).reshape(n, len(priors), o.classes).transpose(0, 2, 1))
    rows = [_image(i, boxes[i], scores[i], o, select) for i in range(n)]
    found = np.concatenate(rows)
    if len(found):
        return found[None, None]
    empty = np.full((1, 1, 1 if o.one_empty_row else n, 7), -1, np.float32)
    if not o.one_empty_row:
        empty[0, 0, :, 0] = np.arange(n)
    return empty


def _image(number: int, boxes: np.ndarray, scores: np.ndarray, o: DetectionOptions, select: Suppression) -> np.ndarray:
    labels, kept = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for label in range(o.classes):
        if label == o.background:
            continue
        candidates = np.flatnonzero(scores[label] > np.float32(o.confidence))
        order = candidates[descending(scores[label][candidates], o.top_k)]
        chosen = select(boxes[0 if o.share_location else label], order, o.overlap, eta=o.eta)
        labels.append(np.full(len(chosen), label))
        kept.append(chosen)
    label, box = np.concatenate(labels), np.concatenate(kept)
    if -1 < o.keep_top_k < len(label):
        best = descending(scores[label, box], o.keep_top_k)
        best = best[np.argsort(label[best], kind="stable")]
        label, box = label[best], box[best]
    rows = np.empty((len(label), 7), np.float32)
    rows[:, 0], rows[:, 1], rows[:, 2] = number, label, scores[label, box]
    corners = boxes[0, box] if o.share_location else boxes[label, box]
    rows[:, 3:] = np.clip(corners, 0, 1) if o.clip else corners
    return rows

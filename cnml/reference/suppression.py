"""Boxes with scores, sorted and thinned out to a fixed number of rows."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnml.reference.nms import descending, nms


@dataclass(frozen=True)
class SuppressionOptions:
    """How boxes are thinned out.

    Attributes
    ----------
    rows : int
        Rows of the result.
    overlap : float
        Largest overlap (intersection over union) of two boxes that both remain.
    score : float
        Boxes with a score not above it are left out, if `filter_scores`.
    filter_scores : bool
    normalized : bool
        Coordinates are fractions of the image; else whole pixels, whose last one counts.
    """

    rows: int
    overlap: float
    score: float = 0.0
    filter_scores: bool = False
    normalized: bool = True


def suppress(boxes: np.ndarray, options: SuppressionOptions) -> np.ndarray:
    """What remains, best first, zeros behind it.

    Parameters
    ----------
    boxes : (B, 5) ndarray
        Rows (x1, y1, x2, y2, score).
    options : SuppressionOptions

    Returns
    -------
    (rows, 5) float32 ndarray
    """
    data = np.asarray(boxes, np.float32)
    candidates = np.flatnonzero(data[:, 4] > np.float32(options.score)) if options.filter_scores else np.arange(len(data))
    order = candidates[descending(data[candidates, 4])]
    kept = nms(data[:, :4], order, options.overlap, margin=0.0 if options.normalized else 1.0, limit=options.rows)
    out = np.zeros((options.rows, 5), np.float32)
    out[:len(kept)] = data[kept]
    return out

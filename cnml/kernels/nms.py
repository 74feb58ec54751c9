"""Greedy non-maximum suppression for host operators: compiled helpers, no kernels."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit


@jit(exact=True)
def suppress(boxes, order, threshold, eta, margin, strict, limit, kept):
    """Walk the boxes in `order` and keep those that overlap no kept one too much.

    Parameters
    ----------
    boxes : (N, 4) float32 ndarray
        xmin, ymin, xmax, ymax.
    order : (M,) int64 ndarray
        Best first.
    threshold : float
        Largest overlap (intersection over union) that is kept.
    eta : float
        Below 1: the threshold shrinks by it after each kept box while it is above 0.5.
    margin : float
        1 for boxes in whole pixels, 0 for others: added to widths and heights.
    strict : bool
        An overlap equal to the threshold suppresses.
    limit : int
        Stop after that many.
    kept : (M,) int64 ndarray
        Gets the indices.

    Returns
    -------
    int
        How many were kept.
    """
    n = 0
    margin = np.float32(margin)
    limit_overlap = np.float32(threshold)
    zero = np.float32(0)
    for i in order:
        if n >= limit:
            break
        x0, y0, x1, y1 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        area = _area(x0, y0, x1, y1, margin)
        keep = True
        for k in range(n):
            j = kept[k]
            width = min(x1, boxes[j, 2]) - max(x0, boxes[j, 0]) + margin
            height = min(y1, boxes[j, 3]) - max(y0, boxes[j, 1]) + margin
            overlap = zero
            if width > zero and height > zero:
                both = width * height
                overlap = both / (area + _area(boxes[j, 0], boxes[j, 1], boxes[j, 2], boxes[j, 3], margin) - both)
            if overlap > limit_overlap or (strict and overlap == limit_overlap):
                keep = False
                break
        if keep:
            kept[n] = i
            n += 1
            if eta < 1.0 and limit_overlap > np.float32(0.5):
                limit_overlap = np.float32(limit_overlap * eta)
    return n


@jit(exact=True)
def _area(x0, y0, x1, y1, margin):
    if margin == np.float32(0) and (x1 < x0 or y1 < y0):
        return np.float32(0)
    return (x1 - x0 + margin) * (y1 - y0 + margin)

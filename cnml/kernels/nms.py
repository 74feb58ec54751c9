"""Greedy non-maximum suppression for host operators: compiled helpers, no kernels."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit


@jit(exact=True)
def _area(x0, y0, x1, y1, margin):
    if margin == np.float32(0) and (x1 < x0 or y1 < y0):
        return np.float32(0)
    return (x1 - x0 + margin) * (y1 - y0 + margin)


@jit(exact=True)
def suppress(boxes, order, threshold, eta, margin, limit, kept):
    """`cnml.reference.nms.nms` on float32 boxes and int64 order; writes the indices to `kept` and returns their number."""
    n = 0
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
            if width > zero and height > zero:
                both = width * height
                if both / (area + _area(boxes[j, 0], boxes[j, 1], boxes[j, 2], boxes[j, 3], margin) - both) > threshold:
                    keep = False
                    break
        if keep:
            kept[n] = i
            n += 1
            if eta < np.float32(1) and threshold > np.float32(0.5):
                threshold = threshold * eta
    return n

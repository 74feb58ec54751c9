"""Cutting a window with context out of an image, as R-CNN does."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pycaffe_acc.image_resize import resize_bilinear


class Placement(NamedTuple):
    """Where a window is cut and where its warped pixels go.

    Attributes
    ----------
    box : (int, int, int, int)
        x1, y1, x2, y2 inside the image.
    size : (int, int)
        Height and width after warping.
    offset : (int, int)
        Row and column in the crop.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    offset: tuple[int, int]


def _round(value: float) -> int:
    # C's round: halves away from zero
    return int(np.floor(abs(value) + 0.5)) * (1 if value >= 0 else -1)


def place_window(box: tuple[int, int, int, int], image: tuple[int, int], crop: int, context: int, square: bool, mirrored: bool) -> Placement:
    """The region of a window enlarged so that, warped to crop x crop, it has `context` pixels around it; what lies outside the image stays empty.

    Girshick et al., "Rich feature hierarchies", 2014, supplement A.

    Parameters
    ----------
    box : (x1, y1, x2, y2)
    image : (height, width)
    crop, context : int
    square : bool
        Take the tightest square around the box first.
    mirrored : bool
        The result will be flipped, so the padding changes sides.
    """
    if not context and not square:
        return Placement(box, (crop, crop), (0, 0))
    x1, y1, x2, y2 = box
    scale = crop / (crop - 2 * context)
    half_h, half_w = (y2 - y1 + 1) / 2, (x2 - x1 + 1) / 2
    cx, cy = x1 + half_w, y1 + half_h
    if square:
        half_h = half_w = max(half_h, half_w)
    x1, x2 = _round(cx - half_w * scale), _round(cx + half_w * scale)
    y1, y2 = _round(cy - half_h * scale), _round(cy + half_h * scale)
    width, height = x2 - x1 + 1, y2 - y1 + 1
    left, top = max(0, -x1), max(0, -y1)
    right, bottom = max(0, x2 - image[1] + 1), max(0, y2 - image[0] + 1)
    x1, x2, y1, y2 = x1 + left, x2 - right, y1 + top, y2 - bottom
    sx, sy = crop / width, crop / height
    size_w, size_h = _round((x2 - x1 + 1) * sx), _round((y2 - y1 + 1) * sy)
    column, row = _round((right if mirrored else left) * sx), _round(top * sy)
    # rounding may push the warped region over the edge of the crop
    return Placement((x1, y1, x2, y2), (min(size_h, crop - row), min(size_w, crop - column)), (row, column))


def cut_window(image: np.ndarray, place: Placement, mirrored: bool) -> np.ndarray:
    """The warped pixels of a placed window.

    Parameters
    ----------
    image : (H, W, C) uint8
    place : Placement
    mirrored : bool

    Returns
    -------
    (C, h, w) uint8
    """
    x1, y1, x2, y2 = place.box
    pixels = resize_bilinear(np.ascontiguousarray(image[y1:y2 + 1, x1:x2 + 1]), place.size)
    return (pixels[:, ::-1] if mirrored else pixels).transpose(2, 0, 1)

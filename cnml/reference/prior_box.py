"""SSD's default boxes."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PriorBoxOptions:
    """What decides the boxes.

    Attributes
    ----------
    min_sizes, max_sizes : tuple of float
        In pixels of the image; none or as many maxima as minima.
    aspect_ratios : tuple of float
        Width / height, 1 first, with the flipped ones, without duplicates.
    variances : tuple of float
        One or four.
    clip : bool
        Limit the coordinates to [0, 1].
    image : tuple of int
        (height, width), or zeros: that of input 1.
    step : tuple of float
        (rows, columns) in pixels, or zeros: image / feature map.
    offset : float
        Of a cell's centre, in cells.
    inner_scale : int
        0: SSD's boxes. Else the vendor's dense type: that many steps between the minimum and the square root of minimum * maximum.
    whole_sizes : bool
        Sizes lose their fractions, as in the vendor's fork.
    interpolated_last : bool
        The square of sqrt(min * max) follows the aspect ratios instead of leading them (TensorFlow's order).
    rows_first : bool
        Coordinates are ymin, xmin, ymax, xmax.
    reserved : int
        The output has room for that many times the boxes; what is left at its end is zero (the vendor's fork for its dense type).
    """

    min_sizes: tuple[float, ...]
    max_sizes: tuple[float, ...] = ()
    aspect_ratios: tuple[float, ...] = (1.0,)
    variances: tuple[float, ...] = (0.1,)
    clip: bool = False
    image: tuple[int, int] = (0, 0)
    step: tuple[float, float] = (0.0, 0.0)
    offset: float = 0.5
    inner_scale: int = 0
    whole_sizes: bool = False
    reserved: int = 1
    interpolated_last: bool = False
    rows_first: bool = False


def box_sizes(options: PriorBoxOptions) -> np.ndarray:
    """Widths and heights of the boxes of one cell, in their order.

    Returns
    -------
    (boxes, 2) float64 ndarray
        For each minimum: the square, the square of sqrt(min * max) (or the dense ones), the other aspect ratios.
    """
    sizes: list[tuple[float, float]] = []
    rest = [a for a in options.aspect_ratios if abs(a - 1.0) >= 1e-6]
    for i, low in enumerate(options.min_sizes):
        low = float(int(low)) if options.whole_sizes else low
        sizes.append((low, low))
        between: list[tuple[float, float]] = []
        if options.max_sizes:
            high = float(int(options.max_sizes[i])) if options.whole_sizes else options.max_sizes[i]
            between = _dense(low, high, options.inner_scale, rest) if options.inner_scale else [(np.sqrt(low * high),) * 2]
        ratios = [(low * np.sqrt(a), low / np.sqrt(a)) for a in rest]
        sizes += ratios + between if options.interpolated_last else between + ratios
    return np.array(sizes)


def _dense(low: float, high: float, steps: int, ratios: list[float]) -> list[tuple[float, float]]:
    sizes: list[tuple[float, float]] = []
    # the fork divides the squares of its integer sizes as integers
    square = float(int(high * high) // int(low * low))
    for k in range(1, steps):
        size = low * square ** (k / (2.0 * steps))
        sizes += [(size * np.sqrt(a), size / np.sqrt(a)) for a in [1.0, *ratios]]
    return sizes


def prior_box(options: PriorBoxOptions, cells: tuple[int, int], image: tuple[int, int]) -> np.ndarray:
    """The boxes of a feature map of `cells` (height, width) over an image (height, width).

    Returns
    -------
    (1, 2, reserved * cells * boxes * 4) float32 ndarray
        Row 0: xmin, ymin, xmax, ymax as fractions of the image, row after row of cells; row 1: their variances.
    """
    height, width = options.image if all(options.image) else image
    step_h, step_w = options.step if all(options.step) else (height / cells[0], width / cells[1])
    half = box_sizes(options) / 2
    x = ((np.arange(cells[1]) + options.offset) * step_w)[None, :, None]
    y = ((np.arange(cells[0]) + options.offset) * step_h)[:, None, None]
    boxes = np.empty((cells[0], cells[1], len(half), 4))
    boxes[..., 0], boxes[..., 2] = (x - half[:, 0]) / width, (x + half[:, 0]) / width
    boxes[..., 1], boxes[..., 3] = (y - half[:, 1]) / height, (y + half[:, 1]) / height
    if options.clip:
        boxes = np.clip(boxes, 0.0, 1.0)
    if options.rows_first:
        boxes = boxes[..., [1, 0, 3, 2]]
    size = options.reserved * boxes.size
    variances = np.resize(np.asarray(options.variances, np.float32), size)
    return np.stack([np.pad(boxes.reshape(-1), (0, size - boxes.size)), variances]).astype(np.float32)[None]

"""Frames of video pixels (YUV 4:2:0, chroma interleaved), as the runners' -yuv 1 reads them."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.image_error import ImageError

#: behind every byte of the files that the vendor's converter writes
_SEPARATOR = 10


def read_frame(file: Path, rows: int, width: int) -> np.ndarray:
    """One frame: rows of Y, then half as many rows of pairs of chroma.

    Parameters
    ----------
    file : Path
        The bytes as they are, or with a line feed behind each, as the vendor's `convertJpg2Yuv` writes them.
    rows, width : int
        3 H / 2 and W.

    Returns
    -------
    (rows, width, 1) uint8

    Raises
    ------
    MissingFileError
    ImageError
        A file of another size.
    """
    if not os.path.isfile(file):
        raise MissingFileError(file, "frame")
    count = rows * width
    size = os.path.getsize(file)
    if size not in (count, 2 * count):
        raise ImageError(f"frame '{file}' has {size} bytes; {width} x {rows * 2 // 3} pixels in YUV420SP have {count}, or {2 * count} with a line "
                         "feed behind each")
    data = np.fromfile(file, np.uint8)
    if size == 2 * count:
        if (data[1::2] != _SEPARATOR).any():
            raise ImageError(f"frame '{file}' has {size} bytes, twice those of {width} x {rows * 2 // 3} pixels, but no line feed behind each")
        data = data[::2]
    return np.ascontiguousarray(data.reshape(rows, width, 1))


def frame_of(pixels: np.ndarray) -> np.ndarray:
    """The frame of a picture, V before U: BT.601 in the range of video (Y 16..235), chroma of the mean of 2 x 2 pixels, halves up.

    Parameters
    ----------
    pixels : (H, W, 3) uint8
        BGR, of even height and width.

    Returns
    -------
    (3 H / 2, W) uint8
    """
    height, width = pixels.shape[:2]
    b, g, r = (pixels[:, :, k].astype(np.float64) for k in range(3))
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    b, g, r = (c.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for c in (b, g, r))
    v, u = 128 + 0.439 * r - 0.368 * g - 0.071 * b, 128 - 0.148 * r - 0.291 * g + 0.439 * b
    rows = [y, np.stack([v, u], axis=-1).reshape(height // 2, width)]
    return np.clip(np.floor(np.concatenate(rows) + 0.5), 0, 255).astype(np.uint8)


def pixel_size(rows: int, width: int) -> tuple[int, int]:
    """Height and width of the picture in a frame."""
    return rows * 2 // 3, width

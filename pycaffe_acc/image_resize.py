"""Bilinear resize, bit for bit what OpenCV's INTER_LINEAR gives for uint8 and float32 images.

A resize that differs costs about as much accuracy as INT8 does, so the caffe tools' one is reproduced exactly:

- source coordinate of output i: (i + 0.5) * (n_in / n_out) - 0.5, rounded to float32; samples outside the image repeat the border;
- uint8: weights are rounded to 11 bits, columns are blended first, 4 bits are dropped, rows are blended, 18 more bits are dropped with one rounding;
- float32: w0*a + w1*b in float32, columns first, no fused multiply-add (OpenCV's own code; its IPP build differs by up to 5e-4 of 255);
- an exact halving of both sides is the mean of 2x2 pixels (OpenCV turns INTER_LINEAR into INTER_AREA there).
"""
from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pycaffe_acc.image_error import ImageError

_ONE = 2048


class Taps(NamedTuple):
    """Where one axis of the output reads its input.

    Attributes
    ----------
    first, second : (n_out,) int64
        Indices of the two samples, inside the input.
    weight : (n_out,) float32
        Of the second sample; the first has 1 - weight.
    past_end : (n_out,) bool
        The first sample is the last of the input.
    """

    first: np.ndarray
    second: np.ndarray
    weight: np.ndarray
    past_end: np.ndarray


@lru_cache(maxsize=256)
def linear_taps(n_in: int, n_out: int, clamp_weight: bool) -> Taps:
    """Sample positions of a bilinear resize along one axis.

    Parameters
    ----------
    n_in, n_out : int
    clamp_weight : bool
        Give samples outside the input the weight 0 (OpenCV's columns) or only repeat the border (its rows).
    """
    # the reciprocal of the reciprocal, in float64, as OpenCV computes it: n_in / n_out can differ in the last bit
    scale = 1.0 / (n_out / n_in)
    at = ((np.arange(n_out) + 0.5) * scale - 0.5).astype(np.float32)
    floor = np.floor(at)
    weight = at - floor
    first = floor.astype(np.int64)
    past_end = first >= n_in - 1
    if clamp_weight:
        weight[(first < 0) | past_end] = 0.0
        first = first.clip(0, n_in - 1)
        second = np.minimum(first + 1, n_in - 1)
    else:
        second = np.clip(first + 1, 0, n_in - 1)
        first = first.clip(0, n_in - 1)
    for a in (first, second, weight, past_end):
        a.flags.writeable = False
    return Taps(first, second, weight, past_end)


def resize_bilinear(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize an image as `cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)` does.

    Parameters
    ----------
    image : (H, W) or (H, W, C) uint8 or float32
    size : (int, int)
        Height and width of the result (not OpenCV's order).

    Returns
    -------
    (h, w) or (h, w, C) array of the same dtype
        A copy, also when the size is the same.

    Raises
    ------
    ImageError
        For another dtype or rank, an empty image, or a size below 1.
    """
    height, width = (int(v) for v in size)
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ImageError(f"resize_bilinear: the image has the shape {image.shape}; it must be (H, W) or (H, W, C) with no empty axis")
    if height < 1 or width < 1:
        raise ImageError(f"resize_bilinear: the result would be {height} x {width}; both sides must be at least 1")
    if image.dtype != np.uint8 and image.dtype != np.float32:
        raise ImageError(f"resize_bilinear: the image is {image.dtype}; only uint8 and float32 have a defined rounding, convert it first")
    if image.shape[:2] == (height, width):
        return image.copy()
    pixels = image.reshape(image.shape[0], image.shape[1], -1)
    halving = image.shape[0] == 2 * height and image.shape[1] == 2 * width
    if image.dtype == np.uint8:
        out = _halve_u8(pixels) if halving else _resize_u8(pixels, height, width)
    else:
        # infinities times a zero weight are expected and handled
        with np.errstate(invalid="ignore"):
            out = _halve_f32(pixels) if halving else _resize_f32(pixels, height, width)
    return out.reshape((height, width) + image.shape[2:])


@lru_cache(maxsize=256)
def _fixed_weights(n_in: int, n_out: int, clamp_weight: bool) -> tuple[np.ndarray, np.ndarray]:
    """11-bit weights of the first and the second sample; each is rounded by itself, so they need not sum to 2048."""
    weight = linear_taps(n_in, n_out, clamp_weight).weight
    one = np.float32(_ONE)
    first = np.rint((np.float32(1) - weight) * one).astype(np.int32)
    second = np.rint(weight * one).astype(np.int32)
    first.flags.writeable = second.flags.writeable = False
    return first, second


def _resize_u8(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    n_rows, n_columns, channels = pixels.shape
    columns, rows = linear_taps(n_columns, width, True), linear_taps(n_rows, height, False)
    a0, a1 = (np.repeat(w, channels) for w in _fixed_weights(n_columns, width, True))
    b0, b1 = _fixed_weights(n_rows, height, False)
    used, first, second = _rows_used(rows)
    source = pixels if used is None else pixels.take(used, axis=0)
    blend = np.multiply(_columns(source, columns.first), a0, dtype=np.int32)
    blend += np.multiply(_columns(source, columns.second), a1, dtype=np.int32)
    blend >>= 4
    out = blend.take(first, axis=0)
    out *= b0[:, None]
    out >>= 16
    below = blend.take(second, axis=0)
    below *= b1[:, None]
    below >>= 16
    out += below
    out += 2
    out >>= 2
    return out.astype(np.uint8)


def _resize_f32(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    n_rows, n_columns, channels = pixels.shape
    columns, rows = linear_taps(n_columns, width, True), linear_taps(n_rows, height, False)
    a1 = np.repeat(columns.weight, channels)
    used, first, second = _rows_used(rows)
    source = pixels if used is None else pixels.take(used, axis=0)
    left = _columns(source, columns.first)
    blend = left * (np.float32(1) - a1)
    blend += _columns(source, columns.second) * a1
    # one sample only at the right border: 0 * inf would make a NaN
    at_end = np.repeat(columns.past_end, channels)
    blend[:, at_end] = left[:, at_end]
    b1 = rows.weight[:, None]
    out = blend.take(first, axis=0)
    out *= np.float32(1) - b1
    below = blend.take(second, axis=0)
    below *= b1
    out += below
    return out


def _columns(pixels: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(H, W, C) → (H, n*C): the pixels of the columns `index`."""
    return pixels.take(index, axis=1).reshape(len(pixels), -1)


def _rows_used(rows: Taps) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """The input rows that the output reads (None: take all), and both taps as indices into them. Skips rows when shrinking a lot."""
    if 2 * len(rows.first) >= int(rows.second[-1]) + 1:
        return None, rows.first, rows.second
    used, index = np.unique(np.concatenate([rows.first, rows.second]), return_inverse=True)
    return used, index[:len(rows.first)], index[len(rows.first):]


def _quarters(pixels: np.ndarray, dtype: type) -> tuple[np.ndarray, ...]:
    """The four pixels of each 2x2 block, in reading order."""
    return tuple(pixels[y::2, x::2].astype(dtype, copy=False) for y in (0, 1) for x in (0, 1))


def _halve_u8(pixels: np.ndarray) -> np.ndarray:
    a, b, c, d = _quarters(pixels, np.uint16)
    total = a + b + c + d
    if pixels.shape[2] in (1, 3, 4):
        return ((total + 2) >> 2).astype(np.uint8)
    # OpenCV's general path rounds a half to the even neighbour instead of up
    return np.rint(total * np.float32(0.25)).astype(np.uint8)


def _halve_f32(pixels: np.ndarray) -> np.ndarray:
    a, b, c, d = _quarters(pixels, np.float32)
    by_rows = (a + b) + (c + d)
    channels = pixels.shape[2]
    if channels == 4:
        total = by_rows
    else:
        total = ((a + b) + c) + d
        if channels == 1:
            # OpenCV adds groups of four results with vector instructions, row sums first, and the remaining ones pixel by pixel
            vector = total.shape[1] - total.shape[1] % 4
            total[:, :vector] = by_rows[:, :vector]
    return total * np.float32(0.25)

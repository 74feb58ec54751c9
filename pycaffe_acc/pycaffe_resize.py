"""The two resizes behind `caffe.io.resize_image`: scikit-image's and SciPy's, in NumPy.

- Images with 1 or 3 channels: pixel centres are aligned (source = (i + 0.5) * n_in / n_out - 0.5) and everything outside the image counts as 0, after
  the image was moved to [0, 1]: enlarging darkens the rim towards the image's minimum. When an axis shrinks, scikit-image since 0.15 blurs it first
  (Gaussian, sigma = (n_in / n_out - 1) / 2); in the years when Caffe's published accuracies were made it did not. pycaffe calls it without saying
  which, so the default here is today's, and `anti_aliasing=False` or PYCAFFE_ACC_ANTI_ALIASING=0 is the old one.
- Other channel counts: corners are aligned (source = i * (n_in - 1) / (n_out - 1)), never blurred.

Every case is linear and separable: each axis has a banded matrix.
"""
from __future__ import annotations

import os
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pycaffe_acc.image_error import ImageError

_ORDERS = (0, 1)
_TRUNCATE = 4.0


def resize_image(im: np.ndarray, new_dims: tuple[int, int], interp_order: int = 1, anti_aliasing: bool | None = None) -> np.ndarray:
    """Resize an image as pycaffe does.

    Parameters
    ----------
    im : (H, W, C) array
    new_dims : (int, int)
        Height and width of the result.
    interp_order : int
        0 nearest, 1 bilinear.
    anti_aliasing : bool, optional
        Blur before shrinking (1 or 3 channels only). Default True, or what PYCAFFE_ACC_ANTI_ALIASING says (0 or 1).

    Returns
    -------
    (h, w, C) float32
        Constant images with 1 or 3 channels come back filled with their value.

    Raises
    ------
    ImageError
        For another rank, an empty image or result, or another order.
    """
    if im.ndim != 3 or 0 in im.shape:
        raise ImageError(f"resize_image: the image has the shape {im.shape}; it must be (height, width, channels) with no empty axis")
    if interp_order not in _ORDERS:
        raise ImageError(f"resize_image: interp_order is {interp_order!r}; this package has 0 (nearest) and 1 (bilinear), which is what Caffe uses")
    height, width = (int(v) for v in new_dims)
    if height < 1 or width < 1:
        raise ImageError(f"resize_image: the result would be {height} x {width}; both sides must be at least 1")
    if im.shape[2] not in (1, 3):
        bands = (_corner_band(im.shape[0], height, interp_order), _corner_band(im.shape[1], width, interp_order))
        return _apply(im.astype(np.float64), *bands).astype(np.float32)
    low, high = float(im.min()), float(im.max())
    if not high > low:
        return np.full((height, width, im.shape[2]), low, dtype=np.float32)
    blur = anti_aliasing_default() if anti_aliasing is None else bool(anti_aliasing)
    bands = (_centre_band(im.shape[0], height, interp_order, blur), _centre_band(im.shape[1], width, interp_order, blur))
    unit = (im.astype(np.float64) - low) / (high - low)
    return (_apply(unit, *bands) * (high - low) + low).astype(np.float32)


def anti_aliasing_default() -> bool:
    """Whether `resize_image` blurs before shrinking unless told.

    Raises
    ------
    ImageError
        When PYCAFFE_ACC_ANTI_ALIASING is neither 0 nor 1.
    """
    value = os.environ.get("PYCAFFE_ACC_ANTI_ALIASING", "1")
    if value not in ("0", "1"):
        raise ImageError(f"PYCAFFE_ACC_ANTI_ALIASING is '{value}'; it must be 1 (scikit-image's resize of today) or 0 (of Caffe's years)")
    return value == "1"


class _Band(NamedTuple):
    """One axis: out[i] = matrix[i, start[i]:stop[i]] . in[start[i]:stop[i]]."""

    matrix: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def _band(n_in: int, first: np.ndarray, weights: tuple[np.ndarray, np.ndarray], kernel: np.ndarray) -> _Band:
    """Interpolate between samples `first` and `first + 1` of an axis blurred by `kernel`; what lies outside counts as 0."""
    n_out, radius = len(first), len(kernel) // 2
    matrix = np.zeros((n_out, n_in))
    outputs = np.arange(n_out)
    for offset, weight in enumerate(weights):
        sample = first + offset
        weight = np.where((sample >= 0) & (sample < n_in), weight, 0.0)
        for k, factor in enumerate(kernel):
            source = sample + k - radius
            ok = (source >= 0) & (source < n_in)
            matrix[outputs[ok], source[ok]] += weight[ok] * factor
    start = (first - radius).clip(0, n_in - 1)
    stop = (first + radius + 2).clip(1, n_in)
    return _Band(matrix, start, stop)


def _split(at: np.ndarray, order: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Source coordinates → index of the first sample, and the weights of it and the next one."""
    if order == 0:
        return np.floor(at + 0.5).astype(np.int64), (np.ones(len(at)), np.zeros(len(at)))
    first = np.floor(at).astype(np.int64)
    return first, (1.0 - (at - first), at - first)


@lru_cache(maxsize=32)
def _centre_band(n_in: int, n_out: int, order: int, blur: bool) -> _Band:
    first, weights = _split((np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5, order)
    return _band(n_in, first, weights, _gaussian(n_in / n_out) if blur else np.ones(1))


@lru_cache(maxsize=32)
def _corner_band(n_in: int, n_out: int, order: int) -> _Band:
    at = np.arange(n_out) * ((n_in - 1) / (n_out - 1)) if n_out > 1 else np.zeros(1)
    # the last product can exceed n_in - 1 by a rounding error
    first, weights = _split(np.minimum(at, n_in - 1), order)
    return _band(n_in, first, weights, np.ones(1))


def _gaussian(factor: float) -> np.ndarray:
    """Kernel for shrinking by `factor`, cut at four sigma and normalised."""
    sigma = max(0.0, (factor - 1.0) / 2.0)
    radius = int(_TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    kernel = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
    return kernel / kernel.sum()


def _apply(image: np.ndarray, rows: _Band, columns: _Band) -> np.ndarray:
    """(H, W, C) float64 → (h, w, C)."""
    n_rows, n_columns, channels = image.shape
    tall = _apply_first_axis(image.reshape(n_rows, -1), rows).reshape(-1, n_columns, channels)
    turned = np.ascontiguousarray(tall.transpose(1, 0, 2)).reshape(n_columns, -1)
    return _apply_first_axis(turned, columns).reshape(-1, len(tall), channels).transpose(1, 0, 2)


def _apply_first_axis(image: np.ndarray, band: _Band) -> np.ndarray:
    out = np.empty((len(band.matrix), image.shape[1]))
    for i, (weights, start, stop) in enumerate(zip(*band, strict=True)):
        np.dot(weights[start:stop], image[start:stop], out=out[i])
    return out

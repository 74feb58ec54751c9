"""Pooling over regions of interest: maximum (Fast R-CNN), bilinear averages (Mask R-CNN), position-sensitive averages (R-FCN)."""
from __future__ import annotations

import numpy as np


def _round_away(x: np.ndarray) -> np.ndarray:
    """C's round: halves away from zero."""
    return np.trunc(x + np.copysign(np.float32(0.5), x))


def roi_bins(rois: np.ndarray, scale: float, pooled: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """ROI pooling's bins: rows and columns [first, last) of the feature map.

    Corners are rounded to cells, both ends belong to the region, regions are at least one cell.

    Parameters
    ----------
    rois : (R, 5) float32 ndarray
        Image, x1, y1, x2, y2.
    scale : float
        Of the feature map.
    pooled, size : (height, width)
        Of the output and of the feature map.

    Returns
    -------
    (R, 2 * pooled height + 2 * pooled width) int64 ndarray
        Firsts and lasts of the rows, then of the columns.
    """
    corners = _round_away(np.asarray(rois, np.float32)[:, 1:5] * np.float32(scale)).astype(np.int64)
    parts = []
    for axis in (1, 0):
        low, high = corners[:, axis], corners[:, axis + 2]
        bins, extent = pooled[1 - axis], size[1 - axis]
        length = np.maximum(high - low + 1, 1)
        step = (length.astype(np.float32) / np.float32(bins))[:, None]
        i = np.arange(bins, dtype=np.float32)
        parts.append(np.clip(np.floor(i * step).astype(np.int64) + low[:, None], 0, extent))
        parts.append(np.clip(np.ceil((i + np.float32(1)) * step).astype(np.int64) + low[:, None], 0, extent))
    return np.concatenate(parts, axis=1)


def roi_pooling(x: np.ndarray, rois: np.ndarray, scale: float, pooled: tuple[int, int]) -> np.ndarray:
    """The maximum of each bin, 0 of an empty one.

    Returns
    -------
    (R, C, pooled height, pooled width) ndarray
    """
    rois = np.asarray(rois).reshape(-1, 5)
    ph, pw = pooled
    bins = roi_bins(rois, scale, pooled, x.shape[2:])  # type: ignore[arg-type]
    y = np.zeros((len(rois), x.shape[1], ph, pw), x.dtype)
    for r, b in enumerate(bins):
        image = x[int(rois[r, 0])]
        for i in range(ph):
            for j in range(pw):
                part = image[:, b[i]:b[ph + i], b[2 * ph + j]:b[2 * ph + pw + j]]
                if part.size:
                    y[r, :, i, j] = part.max(axis=(1, 2))
    return y


def psroi_bins(rois: np.ndarray, scale: float, group: int, size: tuple[int, int]) -> np.ndarray:
    """Position-sensitive pooling's bins, in the form of `roi_bins`: corners rounded in the image, regions at least 0.1 cells.

    The float32 steps are those of R-FCN's layer: they decide which cells a bin reaches.
    """
    corners = _round_away(np.asarray(rois, np.float32)[:, 1:5])
    s = np.float32(scale)
    parts = []
    for axis in (1, 0):
        low, high = corners[:, axis] * s, (corners[:, axis + 2] + np.float32(1)) * s
        step = (np.maximum(high - low, np.float32(0.1)) / np.float32(group))[:, None]
        i = np.arange(group, dtype=np.float32)
        extent = size[1 - axis]
        parts.append(np.clip(np.floor(i * step + low[:, None]).astype(np.int64), 0, extent))
        parts.append(np.clip(np.ceil((i + np.float32(1)) * step + low[:, None]).astype(np.int64), 0, extent))
    return np.concatenate(parts, axis=1)


def psroi_pooling(x: np.ndarray, rois: np.ndarray, scale: float, outputs: int, group: int) -> np.ndarray:
    """Output c of bin (i, j) averages channel (c * group + i) * group + j over the bin; 0 for an empty one.

    Returns
    -------
    (R, outputs, group, group) float64 ndarray
    """
    rois = np.asarray(rois).reshape(-1, 5)
    bins = psroi_bins(rois, scale, group, x.shape[2:])  # type: ignore[arg-type]
    y = np.zeros((len(rois), outputs, group, group))
    for r, b in enumerate(bins):
        image = np.asarray(x[int(rois[r, 0])], np.float64).reshape(outputs, group, group, *x.shape[2:])
        for i in range(group):
            for j in range(group):
                part = image[:, i, j, b[i]:b[group + i], b[2 * group + j]:b[3 * group + j]]
                if part.size:
                    y[r, :, i, j] = part.mean(axis=(1, 2))
    return y


def align_samples(low: np.float32, length: np.float32, bins: int, ratio: int, extent: int) -> tuple[np.ndarray, ...]:
    """Where ROIAlign samples along one axis.

    Returns
    -------
    index, high : (bins, samples) int64 ndarray
        The two neighbours.
    weight : (bins, samples) float32 ndarray
        Of the higher neighbour.
    inside : (bins, samples) bool ndarray
        Samples more than one cell outside count as 0.
    """
    step = np.float32(length / np.float32(bins))
    samples = ratio if ratio > 0 else int(np.ceil(step))
    i, k = np.arange(bins, dtype=np.float32)[:, None], np.arange(samples, dtype=np.float32)
    at = low + i * step + (k + np.float32(0.5)) * step / np.float32(samples)
    inside = (at >= -1) & (at <= extent)
    at = np.maximum(at, np.float32(0))
    index = np.minimum(at.astype(np.int64), extent - 1)
    high = np.minimum(index + 1, extent - 1)
    weight = np.where(index >= extent - 1, np.float32(0), at - index.astype(np.float32)).astype(np.float32)
    return index, high, weight, inside


def roi_align(x: np.ndarray, rois: np.ndarray, scale: float, pooled: tuple[int, int], ratio: int) -> np.ndarray:
    """The mean of bilinear samples in each bin (no rounding of corners, regions at least one cell).

    Returns
    -------
    (R, C, pooled height, pooled width) float64 ndarray
    """
    rois = np.asarray(rois, np.float32).reshape(-1, 5)
    y = np.zeros((len(rois), x.shape[1], *pooled))
    s, one = np.float32(scale), np.float32(1)
    for r, (n, x1, y1, x2, y2) in enumerate(rois):
        image = np.asarray(x[int(n)], np.float64)
        i0, i1, iw, iok = align_samples(y1 * s, max(y2 * s - y1 * s, one), pooled[0], ratio, x.shape[2])
        j0, j1, jw, jok = align_samples(x1 * s, max(x2 * s - x1 * s, one), pooled[1], ratio, x.shape[3])
        rows = image[:, i0] * (1 - iw.astype(np.float64))[..., None] + image[:, i1] * iw.astype(np.float64)[..., None]
        rows = rows * iok[..., None]
        values = rows[..., j0] * (1 - jw.astype(np.float64)) + rows[..., j1] * jw.astype(np.float64)
        y[r] = (values * jok).mean(axis=(2, 4))
    return y

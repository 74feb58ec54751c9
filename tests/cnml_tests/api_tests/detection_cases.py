"""Regions and boxes: small pictures whose result can be told by hand, or written out box by box."""
from __future__ import annotations

import numpy as np
from cnml_tests.api_tests.api_case import Case, values

from cnml.api.enums import DataOrder


def iou(a, b, more: float = 0.0) -> float:
    """Intersection over union of two boxes, `more` added to sides."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]) + more, min(a[3], b[3]) - max(a[1], b[1]) + more
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0] + more) * (a[3] - a[1] + more) + (b[2] - b[0] + more) * (b[3] - b[1] + more) - both)


def thinned(rows, threshold: float, more: float = 0.0, score: int = 4) -> list:
    """Rows by falling score without those that overlap a better one."""
    kept: list = []
    for r in sorted(rows, key=lambda r: -r[score]):
        if all(iou(r, k, more) <= threshold for k in kept):
            kept.append(r)
    return kept


def rows_of(found, count: int, columns: int) -> np.ndarray:
    """Rows with zeros behind them."""
    out = np.zeros((count, columns), np.float32)
    found = found[:count]
    if len(found):
        out[:len(found)] = np.asarray(found)
    return out


ROIS = np.array([[0, 1, 1, 6, 5], [1, 0, 2, 3, 7], [0, 4, 0, 7, 3]], np.float32).reshape(3, 5, 1, 1)


def _roi_pool() -> Case:
    x = values("roi", 2, 3, 8, 8)
    y = np.zeros((3, 3, 2, 2))
    for k, (image, x1, y1, x2, y2) in enumerate(ROIS.reshape(3, 5).astype(int)):
        h, w = (y2 - y1 + 1) / 2, (x2 - x1 + 1) / 2
        for i in range(2):
            for j in range(2):
                top, bottom = y1 + int(np.floor(i * h)), y1 + int(np.ceil((i + 1) * h))
                left, right = x1 + int(np.floor(j * w)), x1 + int(np.ceil((j + 1) * w))
                y[k, :, i, j] = x[image, :, top:min(bottom, 8), left:min(right, 8)].max(axis=(1, 2))
    return Case("RoiPoolOp", {"input": x, "rois": ROIS}, [y.astype(np.float32)], {"param": ("RoiPoolOpParam", 2, 2, 1.0)})


def _roi_align() -> Case:
    """A map that rises evenly: a bin's mean is the value in its middle."""
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[0, 0] = np.arange(9)[:, None] * 2 + np.arange(9)
    rois = np.array([[0, 1, 2, 5, 6], [0, 2, 1, 6, 7]], np.float32).reshape(2, 5, 1, 1)
    y = np.zeros((2, 1, 2, 2))
    for k, (_, x1, y1, x2, y2) in enumerate(rois.reshape(2, 5)):
        for i in range(2):
            for j in range(2):
                y[k, 0, i, j] = 2 * (y1 + (i + 0.5) * (y2 - y1) / 2) + x1 + (j + 0.5) * (x2 - x1) / 2
    return Case("RoiAlignOp", {"input": x, "rois": rois}, [y.astype(np.float32)], {"param": ("RoiAlignOpParam", 2, 2, 1.0, 2)})


def _ps_roi_pool() -> Case:
    """Each channel holds its own number, so that a bin's mean names the channel it read."""
    x = np.zeros((1, 8, 6, 6), np.float32) + np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1)
    rois = np.array([[0, 0, 0, 5, 5]], np.float32).reshape(1, 5, 1, 1)
    y = np.array([[c * 4 + i * 2 + j for i in range(2) for j in range(2)] for c in range(2)], np.float32).reshape(1, 2, 2, 2)
    return Case("PsRoiPoolOp", {"input": x, "rois": rois}, [y], {"param": ("PsRoiPoolOpParam", 2, 2, 1.0, 1, 2)})


def _boxes(count: int) -> np.ndarray:
    corner, size = values("box corner", count, 2, low=0, high=40), values("box size", count, 2, low=8, high=30)
    return np.concatenate([corner, corner + size, values("box score", count, 1, low=0, high=1)], axis=1)


def _nms(filtered: bool, normalized: bool) -> Case:
    boxes = _boxes(24)
    candidates = [r for r in boxes if not filtered or r[4] > 0.5]
    found = rows_of(thinned(candidates, 0.25, 0.0 if normalized else 1.0), 10, 5)
    return Case("NmsOp", {"input": boxes.reshape(24, 5, 1, 1)}, [found.reshape(10, 5, 1, 1)],
                {"param": ("NmsOpParam", 24, 10, 0.25, 1.0, 0.5, filtered, normalized)}, label=f"{filtered} {normalized}")


def _proposal() -> Case:
    """Offsets of zero: the proposals are the anchors, cut to the image, by falling score."""
    side, ratio, scale, stride, h, w = 16.0, 1.0, 2.0, 16, 3, 4
    half = side / 2 * np.sqrt(ratio) * scale
    scores = values("proposal", 1, 2, h, w, low=0, high=1)
    boxes = []
    for i in range(h):
        for j in range(w):
            cx, cy = 7.5 + j * stride, 7.5 + i * stride
            x1, y1, x2, y2 = cx - half, cy - half, cx + half, cy + half
            # decoding keeps the size with its last pixel: a side of 2 half + 1 around the middle
            grown = (2 * half + 1) / 2
            cx, cy = (x1 + x2 + 1) / 2, (y1 + y2 + 1) / 2
            boxes.append([max(cx - grown, 0), max(cy - grown, 0), min(cx + grown, 63), min(cy + grown, 47), scores[0, 1, i, j]])
    found = [[0, *r[:4]] for r in thinned(boxes, 0.3, 1.0)]
    y = rows_of(found, 6, 5).reshape(6, 5, 1, 1)
    return Case("ProposalOp", {"bbox_deltas": np.zeros((1, 4, h, w), np.float32), "scores": scores}, [y],
                {"param": ("ProposalOpParamV2", h, w, 1, 48, 64, 4, 4, 6, 1.0, 0.3, 1.0, stride, (scale,), 1, (ratio,), 1)}, rtol=1e-4)


def _image_detect() -> Case:
    """Two regions far apart, offsets of zero: each class above the threshold gives its region."""
    rois = np.array([[0, 2, 3, 11, 12], [0, 30, 31, 44, 50]], np.float32).reshape(2, 5, 1, 1)
    scores = np.array([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7]], np.float32).reshape(2, 3, 1, 1)
    found = []
    for c in range(3):
        for r, s in zip(rois.reshape(2, 5), scores.reshape(2, 3), strict=True):
            if s[c] > 0.15:
                size = r[3:] - r[1:3] + 1
                centre = r[1:3] + size / 2
                found.append([*(centre - size / 2), *(centre + size / 2), c, s[c]])
    y = rows_of(found, 6, 6).reshape(6, 6, 1, 1)
    return Case("ImageDetectOp", {"bbox_deltas": np.zeros((2, 12, 1, 1), np.float32), "scores": scores, "anchors": rois}, [y],
                {"param": ("ImageDetectOpParam", 3, 2, 64, 64, 0.15, 0.3, 1.0)})


def _priors(count: int) -> np.ndarray:
    low, size = values("prior low", count, 2, low=0, high=0.6), values("prior size", count, 2, low=0.1, high=0.4)
    boxes = np.concatenate([low, low + size], axis=1)
    return np.stack([boxes, np.tile(np.float32([0.1, 0.1, 0.2, 0.2]), (count, 1))])


def _ssd_rows(priors, loc, conf, keep: int) -> np.ndarray:
    """The SSD paper's decoding of centres and sizes, one image after the other."""
    found = []
    for image in range(len(loc)):
        here = []
        for label in range(1, conf.shape[2]):
            boxes = []
            for p, v, t, s in zip(priors[0], priors[1], loc[image], conf[image, :, label], strict=True):
                if s <= 0.3:
                    continue
                w, h = p[2] - p[0], p[3] - p[1]
                cx, cy = (p[0] + p[2]) / 2 + v[0] * t[0] * w, (p[1] + p[3]) / 2 + v[1] * t[1] * h
                w, h = w * np.exp(v[2] * t[2]), h * np.exp(v[3] * t[3])
                boxes.append([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, s])
            here += [[image, label, b[4], *np.clip(b[:4], 0, 1)] for b in thinned(boxes, 0.4)]
        best = sorted(here, key=lambda r: -r[2])[:keep]
        found += sorted(best, key=lambda r: (r[1], -r[2]))
    return np.asarray(found, np.float32)


def _ssd_numbers(kind: str):
    return (kind, 3, True, 0, 2, False, 0.3, 0.4, 400, 8, DataOrder.NCHW)


def _ssd_output() -> Case:
    priors = _priors(12)
    loc, conf = values("ssd loc", 2, 12, 4), values("ssd conf", 2, 12, 3, low=0, high=1)
    y = rows_of(_ssd_rows(priors, loc, conf, 8), 20, 7).reshape(1, 1, 20, 7)
    tensors = {"pred_loc": loc.reshape(2, 48, 1, 1), "conf": conf.reshape(2, 36, 1, 1), "priors": priors.reshape(1, 2, 48, 1)}
    return Case("SsdDetectionOutputOp", tensors, [y], {"param": _ssd_numbers("SsdDetectionOutputOpParam")})


def _ssd_maps() -> Case:
    """Two feature maps of 2 x 2 and 2 x 1 cells with two priors each."""
    priors = _priors(12)
    loc, conf = values("ssd loc", 2, 12, 4), values("ssd conf", 2, 12, 3, low=0, high=1)
    y = rows_of(_ssd_rows(priors, loc, conf, 8), 20, 7).reshape(1, 1, 20, 7)

    def maps(flat, width):
        first = flat[:, :8].reshape(2, 2, 2, 2 * width).transpose(0, 3, 1, 2)
        second = flat[:, 8:].reshape(2, 2, 1, 2 * width).transpose(0, 3, 1, 2)
        return [np.ascontiguousarray(first), np.ascontiguousarray(second)]
    return Case("SsdDetectionOpV2", {"locs": maps(loc, 4), "confs": maps(conf, 3), "priors": priors.reshape(1, 2, 48, 1)}, [y],
                {"param": _ssd_numbers("SsdDetectionOpParam")})


def _yolo() -> Case:
    """One cell in two is sure of a class; boxes do not overlap."""
    side, classes, boxes = 3, 2, 1
    x = np.full((1, boxes * (5 + classes), side, side), -8.0, np.float32)
    x[0, 2:4] = 0
    found = []
    for i, j, label in ((0, 0, 1), (1, 2, 0), (2, 1, 1)):
        x[0, :, i, j] = [0.5, -0.5, 0, 0, 4, 0, 0]
        x[0, 5 + label, i, j] = 6
        gate, sure = 1 / (1 + np.exp(-4.0)), 1 / (1 + np.exp(-6.0))
        found.append([0, label, gate * sure, (j + 1 / (1 + np.exp(-0.5))) / side, (i + 1 / (1 + np.exp(0.5))) / side, 0.4 / side, 0.5 / side])
    return Case("YoloDetectOp", {"input": x}, [rows_of(found, 8, 7).reshape(1, 1, 8, 7)],
                {"param": ("YoloDetectOpParam", side, classes, boxes, 0.5, 0.4, (0.4, 0.5), 2)})


CASES = [_roi_pool(), _roi_align(), _ps_roi_pool(), *[_nms(f, n) for f in (False, True) for n in (False, True)], _proposal(), _image_detect(),
         _ssd_output(), _ssd_maps(), _yolo()]

"""Average precision and recall of detections by COCO's rules for boxes.

Source of the rules: the COCO detection evaluation (cocodataset.org/#detection-eval): ten overlaps from 0.50 to 0.95, 101 recalls, three areas, at
most 1, 10 or 100 detections of a class in an image; crowds and objects of other areas neither count as found nor as missed.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

#: of the objects that count, in pixels
AREAS: dict[str, tuple[float, float]] = {"all": (0.0, 1e10), "small": (0.0, 32.0 ** 2), "medium": (32.0 ** 2, 96.0 ** 2), "large": (96.0 ** 2, 1e10)}
OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = (1, 10, 100)


class CocoObject(NamedTuple):
    """An annotated object.

    Attributes
    ----------
    category : int
    box : (4,) float64
        x, y, width, height in pixels.
    area : float
        Of its segment; decides which of `AREAS` it belongs to.
    crowd : bool
    """

    category: int
    box: np.ndarray
    area: float
    crowd: bool


class CocoDetection(NamedTuple):
    """A detected object; the box as `CocoObject`'s."""

    category: int
    score: float
    box: np.ndarray


class Figure(NamedTuple):
    """One line of COCO's table.

    Attributes
    ----------
    precision : bool
        Average precision; False: average recall.
    overlap : float or None
        None: the mean over `OVERLAPS`.
    area : str
    most : int
        Detections of a class in an image that count.
    value : float
        -1 where there is no object.
    """

    precision: bool
    overlap: float | None
    area: str
    most: int
    value: float

    @property
    def line(self) -> str:
        """As COCO's own tool prints it."""
        title, kind = ("Average Precision", "(AP)") if self.precision else ("Average Recall", "(AR)")
        overlap = "0.50:0.95" if self.overlap is None else f"{self.overlap:.2f}"
        return f" {title:<18} {kind} @[ IoU={overlap:<9} | area={self.area:>6s} | maxDets={self.most:>3d} ] = {self.value:0.3f}"


class _Image(NamedTuple):
    """What matching found in one image, for detections in order of falling score."""

    scores: np.ndarray   # (n,)
    matched: np.ndarray  # (overlaps, n) bool
    ignored: np.ndarray  # (overlaps, n) bool
    objects: int         # that count


def coco_figures(truths: Mapping[int, Sequence[CocoObject]], detections: Mapping[int, Sequence[CocoDetection]]) -> list[Figure]:
    """COCO's twelve figures.

    Parameters
    ----------
    truths : mapping of image number to sequence of CocoObject
        Every image that is judged.
    detections : mapping of image number to sequence of CocoDetection
        Those of other images do not count.

    Returns
    -------
    list of Figure
    """
    pairs = _pairs(truths, detections)
    categories = sorted({t.category for objects in truths.values() for t in objects})
    curves = {(c, area, most): _curves(pairs[c], area, most) for c in categories for area in AREAS for most in (MOST if area == "all" else MOST[-1:])}

    def figure(precision: bool, overlap: float | None = None, area: str = "all", most: int = MOST[-1]) -> Figure:
        rows = [curves[c, area, most][0 if precision else 1] for c in categories]
        if overlap is not None:
            rows = [r[np.isclose(OVERLAPS, overlap)] for r in rows]
        known = np.concatenate([r.reshape(-1) for r in rows]) if rows else np.empty(0)
        known = known[known > -1]
        return Figure(precision, overlap, area, most, float(known.mean()) if known.size else -1.0)

    sizes = list(AREAS)[1:]
    return [figure(True), figure(True, 0.5), figure(True, 0.75), *(figure(True, area=a) for a in sizes),
            *(figure(False, most=m) for m in MOST), *(figure(False, area=a) for a in sizes)]


def _pairs(truths: Mapping[int, Sequence[CocoObject]],
           detections: Mapping[int, Sequence[CocoDetection]]) -> dict[int, list[tuple[list[CocoObject], list[CocoDetection]]]]:
    """Of each category, what the images that have any of it hold, in order of the images' numbers."""
    found: dict[int, dict[int, tuple[list[CocoObject], list[CocoDetection]]]] = defaultdict(dict)
    for number, objects in sorted(truths.items()):
        for truth in objects:
            found[truth.category].setdefault(number, ([], []))[0].append(truth)
        for detection in detections.get(number, ()):
            found[detection.category].setdefault(number, ([], []))[1].append(detection)
    return {category: list(images.values()) for category, images in found.items()}


def _curves(pairs: Sequence[tuple[list[CocoObject], list[CocoDetection]]], area: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision at every recall, (overlaps, recalls), and the last recall, (overlaps,); -1 without objects."""
    images = [_match(objects, found, area, most) for objects, found in pairs]
    count = sum(i.objects for i in images)
    precision, recall = np.full((len(OVERLAPS), len(RECALLS)), -1.0), np.full(len(OVERLAPS), -1.0)
    if not count:
        return precision, recall
    order = np.argsort(-np.concatenate([i.scores for i in images]), kind="stable")
    matched, ignored = (np.concatenate([getattr(i, name) for i in images], axis=1)[:, order] for name in ("matched", "ignored"))
    for row, (hits, misses) in enumerate(zip(matched & ~ignored, ~matched & ~ignored, strict=True)):
        tp, fp = np.cumsum(hits), np.cumsum(misses)
        found = tp / count
        right = np.maximum.accumulate((tp / np.maximum(tp + fp, np.finfo(np.float64).eps))[::-1])[::-1]
        places = np.searchsorted(found, RECALLS, side="left")
        precision[row] = np.append(right, 0.0)[np.minimum(places, len(right))]
        recall[row] = found[-1] if len(found) else 0.0
    return precision, recall


def _match(objects: Sequence[CocoObject], found: Sequence[CocoDetection], area: str, most: int) -> _Image:
    """Detections take the objects that they overlap most, the surest first."""
    low, high = AREAS[area]
    beside = np.array([o.crowd or not low <= o.area <= high for o in objects], bool)
    order = np.argsort(beside, kind="stable")
    objects, beside = [objects[i] for i in order], beside[order]
    ranked = sorted(found, key=lambda d: -d.score)[:most]
    shares = overlaps([d.box for d in ranked], objects)
    matched, ignored = (np.zeros((len(OVERLAPS), len(ranked)), bool) for _ in range(2))
    for t, least in enumerate(OVERLAPS):
        taken: set[int] = set()
        for d in range(len(ranked)):
            best = _best(shares[d], objects, beside, taken, min(least, 1 - 1e-10))
            if best is not None:
                taken.add(best)
                matched[t, d], ignored[t, d] = True, beside[best]
    outside = np.array([not low <= d.box[2] * d.box[3] <= high for d in ranked], bool)
    return _Image(np.array([d.score for d in ranked]), matched, ignored | ~matched & outside, int((~beside).sum()))


def _best(shares: np.ndarray, objects: Sequence[CocoObject], beside: np.ndarray, taken: set[int], least: float) -> int | None:
    """The free object that overlaps most, the last of equals; one that counts before all that do not. Crowds are never used up."""
    best = None
    for g, truth in enumerate(objects):
        if g in taken and not truth.crowd:
            continue
        if best is not None and not beside[best] and beside[g]:
            break
        if shares[g] >= least:
            best, least = g, shares[g]
    return best


def overlaps(boxes: Sequence[np.ndarray], objects: Sequence[CocoObject]) -> np.ndarray:
    """Intersection over union of each box with each object, (boxes, objects); with a crowd, over the box."""
    if not len(boxes) or not len(objects):
        return np.zeros((len(boxes), len(objects)))
    d, g = np.array(boxes, np.float64)[:, None], np.array([o.box for o in objects], np.float64)[None]
    sides = np.minimum(d[..., :2] + d[..., 2:], g[..., :2] + g[..., 2:]) - np.maximum(d[..., :2], g[..., :2])
    common = np.clip(sides, 0, None).prod(-1)
    own, other = d[..., 2] * d[..., 3], g[..., 2] * g[..., 3]
    whole = np.where([o.crowd for o in objects], own, own + other - common)
    return np.divide(common, whole, out=np.zeros_like(common), where=whole > 0)


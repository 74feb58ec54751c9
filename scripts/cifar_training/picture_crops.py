"""32x32 parts of natural pictures: what a student is shown when there is no training set."""
from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.image_list import read_image_list

SIDE = 32
_KEPT = 128  # short side that pictures are held with: enough for a part of a sixteenth
_SMALLEST = 0.1
_ASPECT = 4 / 3
_EVERY = 20
# how sharp the pictures of a data set are depends on how they were made small, so the student meets several ways
_FILTERS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def read_pictures(lists: Sequence[tuple[str | Path, str | Path | None]]) -> list[np.ndarray]:
    """Decode the pictures of lists, made small enough to be held in memory.

    Parameters
    ----------
    lists : sequence of (list file, folder of its pictures)
        Lines of `path label`; the labels are not looked at. None for the list's own folder.

    Returns
    -------
    list of (H, W, 3) uint8, RGB
        The shorter side is 128 or less.

    Raises
    ------
    MissingFileError, CheckError, ImageError
    """
    pictures = []
    for path, root in lists:
        images = read_image_list(path, root)
        images.least = (_KEPT, _KEPT)
        pictures += [_reduced(images.read(i, 3)[:, :, ::-1]) for i in range(len(images))]
    return pictures


def _reduced(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = _KEPT / min(height, width)
    if factor >= 1:
        return np.ascontiguousarray(picture)
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.BOX))


def split(pictures: Sequence[np.ndarray], every: int = _EVERY) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures to learn from, and those held out: numbers 0, `every`, 2 `every`, … No part of these is ever learned from.

    Raises
    ------
    CheckError
        For fewer than two pictures.
    """
    if len(pictures) < 2:
        raise CheckError(f"the lists name {len(pictures)} picture(s); there must be two, since one is held out to judge the student by")
    return [p for i, p in enumerate(pictures) if i % every], [p for i, p in enumerate(pictures) if i % every == 0]


def random_box(height: int, width: int, generator: np.random.Generator, smallest: float = _SMALLEST) -> tuple[float, float, float, float]:
    """A part of a picture: left, top, right, bottom.

    Its area is `smallest` to 1 of the picture's, its sides are as 3 : 4 to 4 : 3, before it is cut to the picture.
    """
    area = generator.uniform(smallest, 1) * height * width
    aspect = math.exp(generator.uniform(-math.log(_ASPECT), math.log(_ASPECT)))
    w, h = min(width, math.sqrt(area * aspect)), min(height, math.sqrt(area / aspect))
    left, top = generator.uniform(0, width - w), generator.uniform(0, height - h)
    return left, top, min(width, left + w), min(height, top + h)  # not beyond by a rounding


def crops(pictures: Sequence[np.ndarray], count: int, generator: np.random.Generator) -> np.ndarray:
    """Random parts of randomly chosen pictures, scaled to 32x32.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8
    count : int
    generator : numpy Generator

    Returns
    -------
    (count, 3, 32, 32) uint8
        Channels in the order of the pictures.
    """
    found = np.empty((count, 3, SIDE, SIDE), np.uint8)
    for i in range(count):
        picture = pictures[generator.integers(len(pictures))]
        box = random_box(*picture.shape[:2], generator)
        scaled = Image.fromarray(picture).resize((SIDE, SIDE), _FILTERS[generator.integers(len(_FILTERS))], box=box)
        found[i] = np.asarray(scaled).transpose(2, 0, 1)
    return found

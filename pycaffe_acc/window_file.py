"""The window files of R-CNN: images with boxes, classes and overlaps."""
from __future__ import annotations

import os
from typing import NamedTuple

from pycaffe_acc.errors import MissingFileError


class Window(NamedTuple):
    """One box.

    Attributes
    ----------
    image : int
        Index into the images.
    label : int
    overlap : float
        With the nearest object.
    box : (int, int, int, int)
        x1, y1, x2, y2, all inside the box.
    """

    image: int
    label: int
    overlap: float
    box: tuple[int, int, int, int]


def read_window_file(path: str) -> tuple[list[str], list[Window]]:
    """Images and windows of a window file.

    A block for each image: "# index", path, channels, height, width, number of windows; then for each window class, overlap, x1, y1, x2, y2.

    Raises
    ------
    MissingFileError
    ValueError
        Naming what was met where.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "window file")
    with open(path, encoding="utf-8") as f:
        words = f.read().split()
    images: list[str] = []
    windows: list[Window] = []
    at = 0
    try:
        while at < len(words):
            if words[at] != "#":
                raise ValueError(f"word {at + 1} is '{words[at]}' where '#' and an image's index should be")
            images.append(words[at + 2])
            number = int(words[at + 6])
            at += 7
            for _ in range(number):
                label, overlap, *box = words[at:at + 6]
                x1, y1, x2, y2 = (int(v) for v in box)
                windows.append(Window(len(images) - 1, int(label), float(overlap), (x1, y1, x2, y2)))
                at += 6
    except (IndexError, ValueError) as e:
        raise ValueError(f"the window file '{path}' cannot be understood near word {at + 1} of {len(words)}: {e}") from e
    return images, windows

"""ImageData: batches of image files from a list."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.data_transformer import DataTransformer, TransformParams, read_transform_param
from pycaffe_acc.errors import CaffeError, CheckError, MissingFileError
from pycaffe_acc.filler import generator
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ImageDataParams:
    """image_data_param and transform_param."""

    source: str
    batch_size: int
    rand_skip: int
    shuffle: bool
    size: tuple[int, int]
    color: bool
    root: str
    transform: TransformParams


def read_image_list(path: str) -> list[tuple[str, int]]:
    """Lines "file label"; a file name may contain blanks.

    Raises
    ------
    MissingFileError
    ValueError
        Naming the line without a whole number at its end, or saying that there is no line.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "image list")
    rows = []
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            name, _, label = line.strip().rpartition(" ")
            try:
                rows.append((name, int(label)))
            except ValueError:
                raise ValueError(f"line {number} of '{path}' is '{line.strip()}'; it must be a file name, a blank and a whole number") from None
    if not rows:
        raise ValueError(f"the image list '{path}' is empty")
    return rows


@layer("ImageData")
class ImageData(Layer):
    """Tops: the next images of the list as OpenCV decodes them (BGR), resized if asked, and their labels; over and over."""

    exact_bottoms = 0
    exact_tops = 2

    @classmethod
    def parse(cls, message: Any) -> ImageDataParams:
        """Read image_data_param and transform_param."""
        p = message.image_data_param
        return ImageDataParams(p.source, int(p.batch_size), int(p.rand_skip), bool(p.shuffle), (int(p.new_height), int(p.new_width)),
                               bool(p.is_color), p.root_folder,
                               read_transform_param(message))

    def setup(self, bottoms: list[Shape]) -> None:
        """Read the list and look at the first image."""
        p = self.params
        self.check((p.size[0] > 0) == (p.size[1] > 0), f"new_height is {p.size[0]} and new_width {p.size[1]}; give both or none")
        self.check(p.batch_size > 0, f"batch_size is {p.batch_size}; it must be positive")
        try:
            self._rows = read_image_list(p.source)
        except ValueError as e:
            raise CheckError(f"layer '{self.name}' ({self.type}): {e}") from e
        if p.shuffle:
            generator().shuffle(self._rows)
        self._next = 0
        if p.rand_skip:
            self._next = int(generator().integers(p.rand_skip))
            self.check(self._next < len(self._rows), f"rand_skip {p.rand_skip} skipped {self._next} of {len(self._rows)} images; it must leave some")
        self._transformer = DataTransformer(p.transform, self.context.phase == 0, f"layer '{self.name}' ({self.type})")
        self._item = self._transformer.shape(self._pixels(self._rows[self._next][0]).shape)
        self.dynamic = not (p.transform.crop[0] or p.size[0])  # type: ignore[misc]

    def _pixels(self, name: str) -> np.ndarray:
        """(C, H, W) uint8 of an image file."""
        path = self.params.root + name
        try:
            image = decode_bgr(path, gray=not self.params.color)
        except CaffeError as e:
            raise CheckError(f"layer '{self.name}' ({self.type}): could not load the image '{path}': {e}") from e
        if self.params.size[0]:
            image = resize_bilinear(image, self.params.size)
        return np.atleast_3d(image).transpose(2, 0, 1)

    def _take(self) -> tuple[str, int]:
        row = self._rows[self._next]
        self._next += 1
        if self._next == len(self._rows):
            self._next = 0
            if self.params.shuffle:
                generator().shuffle(self._rows)
        return row

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        n = self.params.batch_size
        images, labels = np.empty(0, np.float32), np.zeros(n, np.float32)
        for i in range(n):
            name, labels[i] = self._take()
            item = self._transformer(self._pixels(name))
            if i == 0:
                images = np.empty((n, *item.shape), np.float32)
            self.check(item.shape == images.shape[1:],
                       f"the image '{name}' gives the shape {item.shape} and its batch started with {images.shape[1:]}; "
                       "images of one batch must have the same size (use new_height and new_width, crop_size, or batch_size: 1)")
            images[i] = item
        self._item = images.shape[1:]
        return [images, labels]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        n = self.params.batch_size
        return graph.add(HostCall("ImageData", self._forward, [(n, *self._item), (n,)], self.name, "reads image files", dynamic=self.dynamic), [])

"""WindowData: random windows of images, part of them on objects."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.data_transformer import TransformParams, read_transform_param
from pycaffe_acc.errors import CaffeError, CheckError
from pycaffe_acc.filler import generator
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.mean_file import read_mean_file
from pycaffe_acc.window_crop import cut_window, place_window
from pycaffe_acc.window_file import Window, read_window_file


@dataclass(frozen=True)
class WindowDataParams:
    """window_data_param and transform_param."""

    source: str
    root: str
    batch_size: int
    scale: float
    foreground_from: float
    background_below: float
    foreground_share: float
    context: int
    square: bool
    cache: bool
    transform: TransformParams


@layer("WindowData")
class WindowData(Layer):
    """Tops: warped windows (N, 3, crop, crop) and their classes; a share of them on objects, the others background (class 0), drawn at random."""

    exact_bottoms = 0
    exact_tops = 2

    @classmethod
    def parse(cls, message: Any) -> WindowDataParams:
        """Read window_data_param and transform_param."""
        p = message.window_data_param
        return WindowDataParams(p.source, p.root_folder, int(p.batch_size), float(p.scale), float(p.fg_threshold), float(p.bg_threshold),
                                float(p.fg_fraction),
                                int(p.context_pad), p.crop_mode == "square", bool(p.cache_images), read_transform_param(message))

    def setup(self, bottoms: list[Shape]) -> None:
        """Read the window file and sort its windows."""
        p = self.params
        self.crop = p.transform.crop[0]
        self.check(self.crop > 0, "transform_param.crop_size is 0; it must be given, it is the size that windows are warped to")
        self.check(p.batch_size > 0, f"window_data_param.batch_size is {p.batch_size}; it must be positive")
        self.check(self.crop > 2 * p.context, f"context_pad is {p.context} and crop_size {self.crop}; twice the context must be less than the crop")
        try:
            self._images, windows = read_window_file(p.source)
        except ValueError as e:
            raise CheckError(f"layer '{self.name}' ({self.type}): {e}") from e
        self._foreground = [w for w in windows if w.overlap >= p.foreground_from]
        self._background = [w._replace(label=0, overlap=0.0) for w in windows if w.overlap < min(p.background_below, p.foreground_from)]
        bad = [w for w in self._foreground if w.label <= 0]
        self.check(not bad, f"a window on an object has the class {bad[0].label if bad else 0}; object classes begin at 1")
        wanted = int(np.float32(p.batch_size) * np.float32(p.foreground_share))
        self._draws = [(self._background, p.batch_size - wanted), (self._foreground, wanted)]
        for what, (pool, number) in zip(("background", "object"), self._draws, strict=True):
            self.check(bool(pool) or not number,
                       f"'{p.source}' has no {what} window and a batch needs {number}; see fg_threshold, bg_threshold and fg_fraction")
        self._mean = self._read_mean()
        self._cache: dict[int, np.ndarray] = {}

    def _read_mean(self) -> np.ndarray | None:
        t = self.params.transform
        if t.mean_values:
            self.check(len(t.mean_values) in (1, 3), f"has {len(t.mean_values)} mean values; give one, or three")
            return np.asarray(t.mean_values, np.float32)[:, None, None]
        if not t.mean_file:
            return None
        mean = read_mean_file(t.mean_file)
        if mean.ndim == 1:
            return mean[:, None, None]
        h, w = mean.shape[-2:]
        self.check(h == w and h >= self.crop,
                   f"the mean file '{t.mean_file}' is {h} x {w}; it must be square and at least as large as the crop {self.crop}")
        off = (w - self.crop) // 2
        return mean[..., off:off + self.crop, off:off + self.crop]

    def _image(self, index: int) -> np.ndarray:
        image = self._cache.get(index)
        if image is None:
            path = self.params.root + self._images[index]
            try:
                image = decode_bgr(path)
            except CaffeError as e:
                raise CheckError(f"layer '{self.name}' ({self.type}): could not load the image '{path}': {e}") from e
            if self.params.cache:
                self._cache[index] = image
        return image

    def _window(self, window: Window, out: np.ndarray) -> None:
        """Write one warped window into out (3, crop, crop)."""
        p = self.params
        mirrored = p.transform.mirror and bool(generator().integers(2))
        image = self._image(window.image)
        place = place_window(window.box, image.shape[:2], self.crop, p.context, p.square, mirrored)
        x1, y1, x2, y2 = place.box
        h, w = image.shape[:2]
        self.check(0 <= x1 <= x2 < w and 0 <= y1 <= y2 < h and min(place.size) > 0,
                   f"window {window.box} of '{self._images[window.image]}' does not lie in the image, which is {w} wide and {h} high")
        pixels = cut_window(image, place, mirrored).astype(np.float32)
        (row, column), (height, width) = place.offset, pixels.shape[1:]
        region = (slice(None), slice(row, row + height), slice(column, column + width))
        if self._mean is not None:
            pixels = pixels - (self._mean if self._mean.shape[-1] == 1 else np.broadcast_to(self._mean, out.shape)[region])
        out[region] = pixels * np.float32(p.scale)

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        n = self.params.batch_size
        images, labels = np.zeros((n, 3, self.crop, self.crop), np.float32), np.zeros(n, np.float32)
        at = 0
        for pool, number in self._draws:
            for _ in range(number):
                window = pool[int(generator().integers(len(pool)))]
                self._window(window, images[at])
                labels[at] = window.label
                at += 1
        return [images, labels]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        n = self.params.batch_size
        return graph.add(HostCall("WindowData", self._forward, [(n, 3, self.crop, self.crop), (n,)], self.name, "reads image files"), [])

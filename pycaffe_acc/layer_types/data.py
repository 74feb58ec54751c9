"""Data: batches of Datum records from a database."""
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
from pycaffe_acc.datum import datum_pixels, parse_datum
from pycaffe_acc.errors import CheckError
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.lmdb_cursor import LmdbCursor

_LMDB = 1


@dataclass(frozen=True)
class DataParams:
    """data_param and transform_param."""

    source: str
    batch_size: int
    backend: int
    transform: TransformParams


@layer("Data")
class Data(Layer):
    """Tops: the next batch of images, and their labels. Records come in order of their keys, over and over; rand_skip is ignored, as in Caffe.

    The vendor's fork mirrors every record that is not an encoded image; so does `vendor_exact`.
    """

    exact_bottoms = 0
    exact_tops = None
    min_tops = 1
    max_tops = 2

    @classmethod
    def parse(cls, message: Any) -> DataParams:
        """Read data_param and transform_param."""
        p = message.data_param
        return DataParams(p.source, int(p.batch_size), int(p.backend), read_transform_param(message))

    def setup(self, bottoms: list[Shape]) -> None:
        """Open the database and look at the first record."""
        p = self.params
        self.check(p.batch_size > 0, f"data_param.batch_size is {p.batch_size}; it must be positive")
        self.check(bool(p.source), "data_param has no source; name the database's folder")
        if p.backend != _LMDB:
            self._refuse_leveldb(p.source)
        self._transformer = DataTransformer(p.transform, self.context.phase == 0, f"layer '{self.name}' ({self.type})")
        self._cursor = LmdbCursor(p.source)
        self._item = self._transformer.shape(self._pixels()[0].shape)
        # without a crop a later batch may have images of another size
        self.dynamic = not p.transform.crop[0]  # type: ignore[misc]

    def _refuse_leveldb(self, source: str) -> None:
        if os.path.exists(os.path.join(source, "data.mdb")):
            self.check(False, f"data_param.backend is LEVELDB (the default), and '{source}' is an LMDB; write `backend: LMDB`")
        self.check(False, f"data_param.backend is LEVELDB (the default), which cannot be read; copy the records of '{source}' into an LMDB "
                   "(for instance with the packages plyvel and lmdb: put every key and value unchanged; pip install pycaffe-acc[data] brings lmdb) "
                   "and write `backend: LMDB`")

    def _pixels(self) -> tuple[np.ndarray, int, bool]:
        """The current record's (C, H, W), label, and whether it was an encoded image."""
        what = f"layer '{self.name}' ({self.type}): record '{self._cursor.key}' of '{self.params.source}'"
        datum = parse_datum(self._cursor.value(), what)
        t = self.params.transform
        try:
            return datum_pixels(datum, what, t.force_color, t.force_gray), datum.label, bool(datum.encoded)
        except CheckError as e:
            raise e if what in str(e) else CheckError(f"{what}: {e}") from e

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        n = self.params.batch_size
        images, labels = np.empty(0, np.float32), np.zeros(n, np.float32)
        for i in range(n):
            pixels, labels[i], encoded = self._pixels()
            item = self._transformer(pixels, flip=self.context.vendor_exact and not encoded)
            if i == 0:
                images = np.empty((n, *item.shape), np.float32)
            self.check(item.shape == images.shape[1:],
                       f"record '{self._cursor.key}' has the shape {item.shape} and its batch started with {images.shape[1:]}; "
                       "images of one batch must have the same size (use crop_size, or batch_size: 1)")
            images[i] = item
            self._cursor.advance()
        self._item = images.shape[1:]
        return [images, labels][:self.num_tops]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        n = self.params.batch_size
        shapes: list[Shape] = [(n, *self._item), (n,)]
        return graph.add(HostCall("Data", self._forward, shapes[:self.num_tops], self.name, "reads a database", dynamic=self.dynamic), [])

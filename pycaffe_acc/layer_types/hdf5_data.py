"""HDF5Data: batches of rows of HDF5 files."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.errors import CheckError, MissingExtraError, MissingFileError
from pycaffe_acc.filler import generator
from pycaffe_acc.layer import Layer, layer

try:
    import h5py
except ImportError:
    h5py = None


@dataclass(frozen=True)
class HDF5DataParams:
    """hdf5_data_param, and the tops' names, which are the datasets'."""

    source: str
    batch_size: int
    shuffle: bool
    tops: tuple[str, ...]
    transformed: bool


@layer("HDF5Data")
class HDF5Data(Layer):
    """Tops: the next rows of the datasets that are called like them, file after file, over and over. Numbers of any type become float32."""

    exact_bottoms = 0
    exact_tops = None
    min_tops = 1

    @classmethod
    def parse(cls, message: Any) -> HDF5DataParams:
        """Read hdf5_data_param."""
        p = message.hdf5_data_param
        return HDF5DataParams(p.source, int(p.batch_size), bool(p.shuffle), tuple(message.top), message.HasField("transform_param"))

    def setup(self, bottoms: list[Shape]) -> None:
        """Read the list of files and the first file."""
        p = self.params
        self.check(not p.transformed, "has a transform_param, and HDF5 data is not transformed; scale and crop it before it is written")
        self.check(p.batch_size > 0, f"hdf5_data_param.batch_size is {p.batch_size}; it must be positive")
        if h5py is None:
            raise MissingExtraError(f"layer '{self.name}' ({self.type}): reading HDF5 needs the package h5py: pip install pycaffe-acc[data]")
        if not os.path.isfile(p.source):
            raise MissingFileError(p.source, f"list of HDF5 files of layer '{self.name}'")
        with open(p.source, encoding="utf-8") as lines:
            self._files = lines.read().split()
        self.check(bool(self._files), f"the list '{p.source}' names no HDF5 file")
        self._file_order, self._file = list(range(len(self._files))), 0
        if p.shuffle:
            generator().shuffle(self._file_order)
        self._load()

    def _load(self) -> None:
        """Read the current file."""
        path = self._files[self._file_order[self._file]]
        if not os.path.isfile(path):
            raise MissingFileError(path, f"HDF5 file of layer '{self.name}'")
        try:
            with h5py.File(path, "r") as f:
                self._sets = [self._dataset(f, path, name) for name in self.params.tops]
        except OSError as e:
            raise CheckError(f"layer '{self.name}' ({self.type}): '{path}' could not be read as HDF5: {e}") from e
        rows = {name: len(a) for name, a in zip(self.params.tops, self._sets, strict=True)}
        self.check(len(set(rows.values())) == 1, f"the datasets of '{path}' have {rows} rows; the numbers must be equal")
        self.check(len(self._sets[0]) > 0, f"the datasets of '{path}' are empty")
        self._row, self._row_order = 0, np.arange(len(self._sets[0]))
        if self.params.shuffle:
            generator().shuffle(self._row_order)

    def _dataset(self, f: Any, path: str, name: str) -> np.ndarray:
        self.check(name in f and isinstance(f[name], h5py.Dataset),
                   f"'{path}' has no dataset '{name}'; it has {', '.join(f) or 'none'}, and every top is read from the dataset of its name")
        data = f[name]
        self.check(data.dtype.kind in "fiu", f"dataset '{name}' of '{path}' is {data.dtype}; it must hold numbers")
        self.check(data.ndim >= 1, f"dataset '{name}' of '{path}' is a scalar; its first axis must be the rows")
        return np.asarray(data[...], np.float32)

    def _advance(self) -> None:
        self._row += 1
        if self._row < len(self._row_order):
            return
        if len(self._files) > 1:
            self._file = (self._file + 1) % len(self._files)
            if self._file == 0 and self.params.shuffle:
                generator().shuffle(self._file_order)
            self._load()
        self._row = 0
        if self.params.shuffle:
            generator().shuffle(self._row_order)

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        outs = [np.empty(s, np.float32) for s in self._shapes()]
        items = [o.shape[1:] for o in outs]
        for i in range(self.params.batch_size):
            for name, out, item, data in zip(self.params.tops, outs, items, self._sets, strict=True):
                self.check(data.shape[1:] == item,
                           f"dataset '{name}' of '{self._files[self._file_order[self._file]]}' has rows of shape {data.shape[1:]}, the batch began "
                           f"with {item}; all files must agree")
                out[i] = data[self._row_order[self._row]]
            self._advance()
        return outs

    def _shapes(self) -> list[Shape]:
        return [(self.params.batch_size, *a.shape[1:]) for a in self._sets]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        return graph.add(HostCall("HDF5Data", self._forward, self._shapes(), self.name, "reads files"), [])

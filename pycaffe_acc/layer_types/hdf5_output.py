"""HDF5Output: writes data and labels to an HDF5 file."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.layer import Layer, layer

try:
    import h5py
except ImportError:
    h5py = None


@dataclass(frozen=True)
class HDF5OutputParams:
    """hdf5_output_param."""

    file_name: str


@layer("HDF5Output")
class HDF5Output(Layer):
    """Writes the datasets "data" and "label", four axes each, at the first forward.

    A second forward is an error, as in Caffe, because the datasets exist then.
    """

    exact_bottoms = 2
    exact_tops = 0

    @classmethod
    def parse(cls, message: Any) -> HDF5OutputParams:
        """Read hdf5_output_param."""
        return HDF5OutputParams(message.hdf5_output_param.file_name)

    def setup(self, bottoms: list[Shape]) -> None:
        """Check that the file can be written; it is made by the first forward."""
        if h5py is None:
            raise MissingExtraError(f"layer '{self.name}' ({self.type}): writing HDF5 needs the package h5py: pip install pycaffe-acc[data]")
        name = self.params.file_name
        self.check(bool(name), "hdf5_output_param has no file_name")
        folder = os.path.dirname(os.path.abspath(name))
        self.check(os.path.isdir(folder), f"the folder '{folder}' of file_name does not exist")
        self._written = False

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        name = self.params.file_name
        self.check(not self._written,
                   f"a batch is in '{name}' already, and a second one has no place there; run one forward, or collect net.blobs yourself")
        try:
            with h5py.File(name, "w") as f:
                for key, value in zip(("data", "label"), inputs, strict=True):
                    f.create_dataset(key, data=np.asarray(value, np.float32).reshape(value.shape + (1,) * (4 - value.ndim)))
        except OSError as e:
            raise CheckError(f"layer '{self.name}' ({self.type}): '{name}' could not be written: {e}") from e
        self._written = True
        return []

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A sink on the host."""
        for t in bottoms:
            self.check(len(t.shape) <= 4, f"a bottom has the shape {t.shape}; at most four axes can be written")
        self.check(bottoms[0].shape[:1] == bottoms[1].shape[:1],
                   f"data has the shape {bottoms[0].shape} and label {bottoms[1].shape}; both must have the same number of items")
        return graph.add(HostCall("HDF5Output", self._forward, [], self.name, "writes a file"), bottoms)

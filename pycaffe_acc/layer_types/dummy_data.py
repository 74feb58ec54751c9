"""DummyData: filled blobs, for tests and measurements."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.filler import fill
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.proto import caffe_pb2


@dataclass(frozen=True)
class DummyDataParams:
    """dummy_data_param: fillers, and shapes in the newer or the older form (one list for each of four axes)."""

    fillers: tuple[Any, ...]
    shapes: tuple[Shape, ...]
    legacy: tuple[tuple[int, ...], ...]


@layer("DummyData")
class DummyData(Layer):
    """Tops filled by fillers: constants once, random ones anew for every forward."""

    exact_bottoms = 0
    exact_tops = None
    min_tops = 1

    @classmethod
    def parse(cls, message: Any) -> DummyDataParams:
        """Read dummy_data_param."""
        p = message.dummy_data_param
        shapes = tuple(tuple(int(d) for d in s.dim) for s in p.shape)
        return DummyDataParams(tuple(p.data_filler), shapes, tuple(tuple(int(v) for v in axis) for axis in (p.num, p.channels, p.height, p.width)))

    def setup(self, bottoms: list[Shape]) -> None:
        """Check the numbers of shapes and fillers, fill the constants."""
        fillers = self.params.fillers or (caffe_pb2.FillerParameter(type="constant", value=0.0),)
        self.check(len(fillers) in (1, self.num_tops),
                   f"has {len(fillers)} data_filler entries for {self.num_tops} tops; give none, one for all, or one each")
        self._shapes = self._read_shapes()
        self._fillers = list(fillers) * (self.num_tops if len(fillers) == 1 else 1)
        self._constants = {i: fill(f, self._shapes[i]) for i, f in enumerate(self._fillers) if f.type == "constant"}

    def held(self) -> list[bool]:
        """Constants are filled once, so what a script writes to those tops stays."""
        return [i in self._constants for i in range(self.num_tops)]

    def initial_values(self) -> list[np.ndarray | None]:
        """The constants."""
        return [self._constants.get(i) for i in range(self.num_tops)]

    def _read_shapes(self) -> list[Shape]:
        p, n = self.params, self.num_tops
        if p.shapes or not any(p.legacy):
            self.check(not any(p.legacy), "has both `shape` and num/channels/height/width; use one of them")
            self.check(len(p.shapes) in (1, n), f"has {len(p.shapes)} shapes for {n} tops; give one for all, or one each")
            shapes = p.shapes
        else:
            sizes = [len(axis) for axis in p.legacy]
            self.check(all(s in (1, n) for s in sizes),
                       f"has num, channels, height, width {sizes} times for {n} tops; give each once for all tops, or once for each")
            shapes = tuple(tuple(axis[i if len(axis) > 1 else 0] for axis in p.legacy) for i in range(n))
        for s in shapes:
            self.check(all(d >= 0 for d in s), f"has the shape {s}; extents must not be negative")
        return list(shapes) * (n if len(shapes) == 1 else 1)

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        return [self._constants[i] if i in self._constants else fill(f, s) for i, (f, s) in enumerate(zip(self._fillers, self._shapes, strict=True))]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        return graph.add(HostCall("DummyData", self._forward, self._shapes, self.name, "a data source"), [])

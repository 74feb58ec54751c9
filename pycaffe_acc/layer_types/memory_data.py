"""MemoryData: batches of arrays that a script gives."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.errors import CheckError
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class MemoryDataParams:
    """memory_data_param."""

    batch_size: int
    item: Shape


@layer("MemoryData")
class MemoryData(Layer):
    """Tops: the next batch of the arrays of `set_input_arrays`, over and over. transform_param is not applied to arrays, as in Caffe.

    The label top has the shape (N) at set-up and (N, 1, 1, 1) after a forward.
    """

    exact_bottoms = 0
    exact_tops = 2
    dynamic = True

    @classmethod
    def parse(cls, message: Any) -> MemoryDataParams:
        """Read memory_data_param."""
        p = message.memory_data_param
        return MemoryDataParams(int(p.batch_size), (int(p.channels), int(p.height), int(p.width)))

    def setup(self, bottoms: list[Shape]) -> None:
        """All sizes must be given."""
        p = self.params
        self.check(p.batch_size > 0 and min(p.item) > 0,
                   f"batch_size, channels, height, width are {(p.batch_size, *p.item)}; all must be given and positive")
        self._arrays: tuple[np.ndarray, np.ndarray] | None = None
        self._position = 0
        self._labels: Shape = (p.batch_size,)

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Take the arrays that the next forwards read; they are not copied.

        Parameters
        ----------
        data : (M, C, H, W) float32, C order
            M a multiple of the batch size.
        labels : (M,) or (M, 1, 1, 1) float32

        Raises
        ------
        CheckError
            For another type, order or shape.
        """
        if labels.ndim == 1:
            labels = np.ascontiguousarray(labels[:, np.newaxis, np.newaxis, np.newaxis])
        for what, array, item in (("data", data, self.params.item), ("labels", labels, (1, 1, 1))):
            self.check(array.dtype == np.float32, f"the {what} array is {array.dtype}; it must be float32")
            self.check(array.ndim == 4 and array.shape[1:] == item,
                       f"the {what} array has the shape {array.shape}; it must be (M, {', '.join(map(str, item))})")
            self.check(array.flags.c_contiguous, f"the {what} array does not lie in C order; pass np.ascontiguousarray(...) of it")
        self.check(len(data) == len(labels), f"there are {len(data)} images and {len(labels)} labels; the numbers must be equal")
        self.check(len(data) > 0 and len(data) % self.params.batch_size == 0,
                   f"there are {len(data)} images; the number must be a multiple of the batch size {self.params.batch_size}")
        self._arrays = (data, labels)
        self._position = 0

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        if self._arrays is None:
            raise CheckError(f"layer '{self.name}' ({self.type}): has no data yet; call net.set_input_arrays(data, labels) before forward()")
        data, labels = self._arrays
        at = self._position
        last = at + self.params.batch_size
        self._position = last % len(data)
        self._labels = (self.params.batch_size, 1, 1, 1)
        return [data[at:last], labels[at:last]]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A source on the host."""
        p = self.params
        return graph.add(HostCall("MemoryData", self._forward, [(p.batch_size, *p.item), self._labels], self.name, "a data source", dynamic=True), [])

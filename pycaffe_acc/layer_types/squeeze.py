"""Squeeze: axes of extent 1 left out (TensorFlow converters)."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Squeeze")
class Squeeze(Layer):
    """The named axes, or without any name all of extent 1, disappear."""

    @classmethod
    def parse(cls, message: Any) -> tuple[int, ...]:
        """The axes."""
        return tuple(int(a) for a in message.squeeze_param.axis)

    def shares_memory(self) -> bool:
        """The top is the bottom under another shape."""
        return True

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A view."""
        shape = bottoms[0].shape
        axes = {self.axis(a, len(shape)) for a in self.params} or {i for i, n in enumerate(shape) if n == 1}
        for a in axes:
            self.check(shape[a] == 1, f"axis {a} has the extent {shape[a]} in the bottom {shape}; only axes of extent 1 can be left out")
        return graph.add(View(tuple(n for i, n in enumerate(shape) if i not in axes), self.name), bottoms)

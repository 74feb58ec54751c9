"""Input: blobs that the caller fills."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class InputParams:
    """input_param: one shape for all tops, or one each."""

    shapes: tuple[Shape, ...]


@layer("Input")
class Input(Layer):
    """Tops of given shapes; `net.blobs[top].reshape` changes them."""

    given = True
    exact_bottoms = 0
    exact_tops = None
    min_tops = 1

    @classmethod
    def parse(cls, message: Any) -> InputParams:
        """Read input_param."""
        return InputParams(tuple(tuple(int(d) for d in s.dim) for s in message.input_param.shape))

    def shapes(self) -> list[Shape]:
        """The tops' shapes.

        Raises
        ------
        CheckError
            When the number of shapes is neither 1 nor that of the tops, or an extent is negative.
        """
        shapes = self.params.shapes
        self.check(len(shapes) in (0, 1, self.num_tops), f"input_param has {len(shapes)} shapes for {self.num_tops} tops; give one for all, or one "
                                                         f"each")
        for s in shapes:
            self.check(all(d >= 0 for d in s), f"input_param has the shape {s}; extents must not be negative")
        if not shapes:
            return [()] * self.num_tops
        return list(shapes) * (self.num_tops if len(shapes) == 1 else 1)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Inputs of the graph."""
        return [graph.input(s, self.name) for s in self.shapes()]

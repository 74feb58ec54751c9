"""TanH: the hyperbolic tangent."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("TanH")
class TanH(Layer):
    """top = tanh(bottom)."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("tanh", name=self.name), bottoms)

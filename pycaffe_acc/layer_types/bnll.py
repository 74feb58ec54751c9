"""BNLL: binomial normal log likelihood."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("BNLL")
class BNLL(Layer):
    """top = log(1 + exp(bottom))."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("bnll", name=self.name), bottoms)

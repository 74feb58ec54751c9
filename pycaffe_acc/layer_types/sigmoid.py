"""Sigmoid: the logistic function."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Sigmoid")
class Sigmoid(Layer):
    """top = tanh(bottom / 2) / 2 + 1 / 2."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("sigmoid", name=self.name), bottoms)

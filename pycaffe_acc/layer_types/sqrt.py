"""Sqrt: the square root (vendor)."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.sqrt import Sqrt as SqrtOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Sqrt")
class Sqrt(Layer):
    """top = sqrt(bottom)."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Sqrt operator."""
        return graph.add(SqrtOp(self.name), bottoms)

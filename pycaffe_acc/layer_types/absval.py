"""AbsVal: the magnitude."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("AbsVal")
class AbsVal(Layer):
    """top = |bottom|; not in place."""

    refuses_inplace = True

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("abs", name=self.name), bottoms)

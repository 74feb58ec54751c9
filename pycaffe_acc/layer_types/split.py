"""Split: the same blob under several names."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Split")
class Split(Layer):
    """Every top is the bottom."""

    exact_tops = None
    min_tops = 1

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Views, one for each top."""
        return graph.add(View(None, self.name, self.num_tops), bottoms)

    def shares_memory(self) -> bool:
        """Always."""
        return True

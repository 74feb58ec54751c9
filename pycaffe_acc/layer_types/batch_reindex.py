"""BatchReindex: items of a batch in a new order."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.batch_reindex import BatchReindex as BatchReindexOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("BatchReindex")
class BatchReindex(Layer):
    """top[i] = bottom 0 [bottom 1 [i]]."""

    exact_bottoms = 2

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One BatchReindex operator."""
        return graph.add(BatchReindexOp(self.name), bottoms)

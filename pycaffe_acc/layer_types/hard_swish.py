"""HardSwish: MobileNet v3's activation."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.hard_swish import HardSwish as HardSwishOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("HardSwish", "Hswish")
class HardSwish(Layer):
    """top = bottom * min(max(bottom + 3, 0), 6) / 6."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One HardSwish operator."""
        return graph.add(HardSwishOp(self.name), bottoms)

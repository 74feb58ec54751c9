"""CReLU: relu(x) and relu(-x) side by side (PVANet)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.crelu import CRelu
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class CReLUParams:
    """crelu_param."""

    slope: float
    axis: int


@layer("CReLU")
class CReLU(Layer):
    """top is twice as long as the bottom along concat_axis."""

    refuses_inplace = True

    @classmethod
    def parse(cls, message: Any) -> CReLUParams:
        """Read crelu_param."""
        return CReLUParams(message.crelu_param.negative_slope, message.crelu_param.concat_axis)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One CRelu operator."""
        return graph.add(CRelu(self.axis(self.params.axis, len(bottoms[0].shape), "concat_axis"), self.params.slope, self.name), bottoms)

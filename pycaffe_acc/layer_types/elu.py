"""ELU: exponential linear unit."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ELUParams:
    """elu_param."""

    alpha: float


@layer("ELU")
class ELU(Layer):
    """top = bottom where positive, else alpha * (exp(bottom) - 1)."""

    @classmethod
    def parse(cls, message: Any) -> ELUParams:
        """Read elu_param."""
        return ELUParams(message.elu_param.alpha)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("elu", self.params.alpha, name=self.name), bottoms)

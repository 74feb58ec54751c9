"""Swish: the bottom times its logistic function."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class SwishParams:
    """swish_param."""

    beta: float


@layer("Swish")
class Swish(Layer):
    """top = bottom * sigmoid(beta * bottom)."""

    @classmethod
    def parse(cls, message: Any) -> SwishParams:
        """Read swish_param."""
        return SwishParams(message.swish_param.beta)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("swish", self.params.beta, name=self.name), bottoms)

"""Softmax: exp of the values relative to their maximum, divided by the sum."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.softmax import Softmax as SoftmaxOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class SoftmaxParams:
    """softmax_param."""

    axis: int


@layer("Softmax")
class Softmax(Layer):
    """top = softmax(bottom) along one axis (default 1)."""

    @classmethod
    def parse(cls, message: Any) -> SoftmaxParams:
        """Read softmax_param."""
        return SoftmaxParams(message.softmax_param.axis)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Softmax operator."""
        return graph.add(SoftmaxOp(self.axis(self.params.axis, len(bottoms[0].shape)), self.name), bottoms)

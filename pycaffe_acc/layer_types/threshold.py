"""Threshold: a step."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ThresholdParams:
    """threshold_param."""

    threshold: float


@layer("Threshold")
class Threshold(Layer):
    """top = 1 where bottom > threshold, else 0."""

    @classmethod
    def parse(cls, message: Any) -> ThresholdParams:
        """Read threshold_param."""
        return ThresholdParams(message.threshold_param.threshold)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("threshold", self.params.threshold, name=self.name), bottoms)

"""Clip: values limited to a range."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ClipParams:
    """clip_param; `complete` says whether both limits are there."""

    low: float
    high: float
    complete: bool


@layer("Clip")
class Clip(Layer):
    """top = max(min, min(bottom, max)); NaN becomes min."""

    @classmethod
    def parse(cls, message: Any) -> ClipParams:
        """Read clip_param."""
        p = message.clip_param
        return ClipParams(p.min, p.max, p.HasField("min") and p.HasField("max"))

    def setup(self, bottoms: list[Shape]) -> None:
        """Check the parameters."""
        self.check(self.params.complete, "needs both clip_param.min and clip_param.max")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("clip", self.params.low, self.params.high, name=self.name), bottoms)

"""ReLU and its bounded spellings."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ReLUParams:
    """relu_param.

    Attributes
    ----------
    negative_slope : float
    upper_limit : int
        The vendor's: no greater output than this; 0 is no limit.
    """

    negative_slope: float
    upper_limit: int


@layer("ReLU")
class ReLU(Layer):
    """top = max(bottom, 0) + negative_slope * min(bottom, 0)."""

    @classmethod
    def parse(cls, message: Any) -> ReLUParams:
        """Read relu_param."""
        p = message.relu_param
        return ReLUParams(p.negative_slope, p.upper_limit or (6 if p.relu6 else 0))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        p = self.params
        if p.upper_limit == 0:
            return graph.add(Unary("relu", p.negative_slope, name=self.name), bottoms)
        if p.negative_slope == 0 and p.upper_limit > 0 and not self.context.vendor_exact:
            # the same values for every number (NaN apart), in the form that convolutions can take in
            return graph.add(Unary("clip", 0.0, p.upper_limit, name=self.name), bottoms)
        return graph.add(Unary("relu_limit", p.negative_slope, p.upper_limit, name=self.name), bottoms)


@layer("ReLU6")
class ReLU6(Layer):
    """top = min(max(bottom, 0), 6), as forks spell it."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        return graph.add(Unary("clip", 0.0, 6.0, name=self.name), bottoms)

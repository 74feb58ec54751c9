"""MVN: mean-variance normalisation."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.mvn import MVN as MVNOp
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class MVNParams:
    """mvn_param."""

    across_channels: bool
    normalize_variance: bool
    eps: float


@layer("MVN")
class MVN(Layer):
    """top = (bottom - mean) / (sqrt(variance) + eps) per item and channel, or per item. The top always has four axes."""

    @classmethod
    def parse(cls, message: Any) -> MVNParams:
        """Read mvn_param."""
        p = message.mvn_param
        return MVNParams(bool(p.across_channels), bool(p.normalize_variance), float(p.eps))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One MVN operator."""
        p, shape = self.params, bottoms[0].shape
        self.check(len(shape) <= 4, f"its bottom has the shape {shape}; at most four axes are possible (items, channels, rows, columns)")
        if len(shape) < 4:
            bottoms = graph.add(View(shape + (1,) * (4 - len(shape)), self.name), bottoms)
        return graph.add(MVNOp(p.across_channels, p.normalize_variance, p.eps, self.name), bottoms)

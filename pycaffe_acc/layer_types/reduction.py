"""Reduction: sums over the last axes."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.reduction import OPERATIONS
from cnml.ops.reduction import Reduction as ReductionOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ReductionParams:
    """reduction_param."""

    operation: str
    axis: int
    coeff: float


@layer("Reduction")
class Reduction(Layer):
    """top = coeff * sum, sum of absolute values, sum of squares or mean over all axes from `axis` on."""

    @classmethod
    def parse(cls, message: Any) -> ReductionParams:
        """Read reduction_param."""
        p = message.reduction_param
        return ReductionParams(OPERATIONS[int(p.operation) - 1], int(p.axis), float(p.coeff))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Reduction operator."""
        p = self.params
        return graph.add(ReductionOp(self.axis(p.axis, len(bottoms[0].shape)), p.operation, p.coeff, self.name), bottoms)

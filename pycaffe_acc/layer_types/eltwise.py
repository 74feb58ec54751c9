"""Eltwise: sum, product or maximum of blobs of one shape."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.eltwise import Eltwise as EltwiseOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer

OPERATIONS = ("PROD", "SUM", "MAX")


@dataclass(frozen=True)
class EltwiseParams:
    """eltwise_param."""

    operation: str
    coeff: tuple[float, ...]


@layer("Eltwise")
class Eltwise(Layer):
    """top = sum of coeff * bottom, product, or maximum of the bottoms."""

    exact_bottoms = None
    min_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> EltwiseParams:
        """Read eltwise_param."""
        p = message.eltwise_param
        return EltwiseParams(OPERATIONS[p.operation], tuple(p.coeff))

    def setup(self, bottoms: list[Shape]) -> None:
        """Check the coefficients."""
        coeff = self.params.coeff
        self.check(len(coeff) in (0, len(bottoms)),
                   f"has {len(coeff)} coeff entries for {len(bottoms)} bottoms; there must be none, or one for each bottom")
        self.check(not coeff or self.params.operation != "PROD", "has coeff with PROD; coefficients are for SUM")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Eltwise operator."""
        for i, b in enumerate(bottoms):
            self.check(b.shape == bottoms[0].shape, f"bottom {i} has the shape {b.shape} and bottom 0 {bottoms[0].shape}; they must be equal")
        return graph.add(EltwiseOp(self.params.operation, self.params.coeff, self.name), bottoms)

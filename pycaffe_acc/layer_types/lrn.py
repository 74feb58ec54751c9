"""LRN: local response normalisation."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.lrn import Lrn
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer

REGIONS = ("ACROSS_CHANNELS", "WITHIN_CHANNEL")


@dataclass(frozen=True)
class LRNParams:
    """lrn_param."""

    local_size: int
    alpha: float
    beta: float
    region: str
    k: float


@layer("LRN")
class LRN(Layer):
    """top = bottom * (k + alpha * mean of squares nearby) ** -beta; within a channel k is 1."""

    @classmethod
    def parse(cls, message: Any) -> LRNParams:
        """Read lrn_param."""
        p = message.lrn_param
        return LRNParams(p.local_size, p.alpha, p.beta, REGIONS[p.norm_region], p.k)

    def setup(self, bottoms: list[tuple[int, ...]]) -> None:
        """Check the parameters."""
        self.check(self.params.local_size % 2 == 1, f"local_size is {self.params.local_size}; it must be odd")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Lrn operator."""
        p, shape = self.params, bottoms[0].shape
        self.check(len(shape) == 4, f"its bottom has the shape {shape}; it must have 4 axes (num, channels, height, width)")
        return graph.add(Lrn(p.region, p.local_size, p.alpha, p.beta, p.k, self.name), bottoms)

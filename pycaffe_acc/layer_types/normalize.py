"""Normalize: L2 normalization with learned scales (SSD)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.normalize import Normalize as NormalizeOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class NormalizeParams:
    """norm_param; without scale_filler the scales begin as 1."""

    across_spatial: bool
    channel_shared: bool
    eps: float
    scale_filler: Any


@layer("Normalize")
class Normalize(Layer):
    """top = scale * bottom / sqrt(sum of squares + eps)."""

    @classmethod
    def parse(cls, message: Any) -> NormalizeParams:
        """Read norm_param."""
        p = message.norm_param
        return NormalizeParams(p.across_spatial, p.channel_shared, p.eps, p.scale_filler if p.HasField("scale_filler") else None)

    def setup(self, bottoms: list[Shape]) -> None:
        """One scale, or one a channel."""
        self.check(len(bottoms[0]) >= 2, f"the bottom has the shape {bottoms[0]}; it needs at least two axes")
        blob = self.add_blob(() if self.params.channel_shared else (bottoms[0][1],), self.params.scale_filler)
        if self.params.scale_filler is None:
            blob.array[...] = 1
            blob.touch()

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Normalize operator."""
        return graph.add(NormalizeOp(self.params.across_spatial, self.params.eps, self.name), bottoms, self.blobs)

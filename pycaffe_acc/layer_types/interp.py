"""Interp: bilinear resize (DeepLab, PSPNet)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.interp import Interp as InterpOp
from cnml.ops.interp import InterpSize
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class InterpParams:
    """interp_param."""

    size: InterpSize
    align_corners: bool


@layer("Interp")
class Interp(Layer):
    """top = bottom resized to height x width, by zoom_factor or by shrink_factor; a second bottom gives the size by its shape.

    The vendor's fork ignores align_corners (always true); so does this with vendor_exact.
    """

    exact_bottoms = None
    min_bottoms = 1
    max_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> InterpParams:
        """Read interp_param."""
        p = message.interp_param
        zoom = p.zoom_factor if p.HasField("zoom_factor") else None
        shrink = p.shrink_factor if p.HasField("shrink_factor") else None
        return InterpParams(InterpSize(p.height, p.width, zoom, shrink, p.pad_beg, p.pad_end), p.align_corners)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Interp operator."""
        size = self.params.size
        if len(bottoms) == 2:
            self.check(len(bottoms[1].shape) == 4, f"bottom 1 has the shape {bottoms[1].shape}; it needs four axes to give height and width")
            size = InterpSize(bottoms[1].shape[2], bottoms[1].shape[3], None, None, size.pad_begin, size.pad_end)
        return graph.add(InterpOp(size, self.params.align_corners or self.context.vendor_exact, self.name), bottoms[:1])

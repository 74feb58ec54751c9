"""ArgMax: indices of the largest values."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.arg_max import ArgMax as ArgMaxOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ArgMaxParams:
    """argmax_param."""

    top_k: int
    axis: int | None
    out_max_val: bool


@layer("ArgMax")
class ArgMax(Layer):
    """top = indices of the top_k largest values of each item, or along an axis; of equal values the larger index comes first."""

    @classmethod
    def parse(cls, message: Any) -> ArgMaxParams:
        """Read argmax_param."""
        p = message.argmax_param
        return ArgMaxParams(int(p.top_k), int(p.axis) if p.HasField("axis") else None, bool(p.out_max_val))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One ArgMax operator."""
        p = self.params
        self.check(p.axis is not None or len(bottoms[0].shape) > 0, "its bottom is a scalar; it needs at least one axis")
        axis = None if p.axis is None else self.axis(p.axis, len(bottoms[0].shape))
        return graph.add(ArgMaxOp(p.top_k, axis, p.out_max_val, self.name), bottoms)

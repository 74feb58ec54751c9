"""Flatten: several axes made one."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Tensor, count
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class FlattenParams:
    """flatten_param."""

    axis: int
    end_axis: int


@layer("Flatten")
class Flatten(Layer):
    """top = bottom with axes `axis` .. `end_axis` (default 1 .. last) as one; it shares the bottom's memory."""

    refuses_inplace = True

    @classmethod
    def parse(cls, message: Any) -> FlattenParams:
        """Read flatten_param."""
        return FlattenParams(message.flatten_param.axis, message.flatten_param.end_axis)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One view."""
        shape = bottoms[0].shape
        first, last = self.axis(self.params.axis, len(shape)), self.axis(self.params.end_axis, len(shape), "end_axis")
        self.check(first <= last, f"axis {first} lies behind end_axis {last}; axis must not be greater")
        return graph.add(View((*shape[:first], count(shape[first:last + 1]), *shape[last + 1:]), self.name), bottoms)

    def shares_memory(self) -> bool:
        """Always."""
        return True

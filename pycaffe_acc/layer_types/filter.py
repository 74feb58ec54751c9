"""Filter: items of a batch that are wanted."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.filter import Filter as FilterOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Filter")
class Filter(Layer):
    """tops = the items of all bottoms but the last whose value in the last is not 0. At set-up the tops have the full batch."""

    exact_bottoms = None
    min_bottoms = 2
    exact_tops = None
    min_tops = 1
    dynamic = True

    def check_arity(self, message: Any) -> None:
        """One top less than bottoms."""
        super().check_arity(message)
        self.check(self.num_tops == self.num_bottoms - 1,
                   f"has {self.num_bottoms} bottoms and {self.num_tops} tops; it makes one top for each bottom but the last, the selector")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Filter operator."""
        return graph.add(FilterOp(self.name), bottoms)

"""Permute: the axes in another order (SSD)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.permute import Permute as PermuteOp
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class PermuteParams:
    """permute_param."""

    order: tuple[int, ...]


@layer("Permute")
class Permute(Layer):
    """top's axis i is bottom's axis order[i]; axes that are not named follow in their order."""

    refuses_inplace = True

    @classmethod
    def parse(cls, message: Any) -> PermuteParams:
        """Read permute_param."""
        return PermuteParams(tuple(int(i) for i in message.permute_param.order))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Permute operator, or a view when nothing moves."""
        ndim, order = len(bottoms[0].shape), self.params.order
        for axis in order:
            self.check(axis < ndim, f"order names axis {axis}; the bottom has the axes 0..{ndim - 1}")
        self.check(len(set(order)) == len(order), f"order {order} names an axis twice; each may appear once")
        order += tuple(i for i in range(ndim) if i not in order)
        if order == tuple(range(ndim)):
            return graph.add(View(None, self.name), bottoms)
        return graph.add(PermuteOp(order, self.name), bottoms)

"""Reverse: an axis backwards."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.reverse import Reverse as ReverseOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Reverse")
class Reverse(Layer):
    """top is the bottom with one axis read backwards: reverse_param.axis (default 0), with vendor_exact the channels."""

    @classmethod
    def parse(cls, message: Any) -> int:
        """The axis."""
        return int(message.reverse_param.axis)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Reverse operator."""
        axis = 1 if self.context.vendor_exact else self.params
        return graph.add(ReverseOp(self.axis(axis, len(bottoms[0].shape)), self.name), bottoms)

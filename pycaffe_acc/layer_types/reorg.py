"""Reorg: darknet's space-to-depth (YOLOv2)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.permute import Permute
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ReorgParams:
    """reorg_param; the stride is 0 where it is missing."""

    stride: int
    reverse: bool


@layer("Reorg")
class Reorg(Layer):
    """Darknet's reordering: (C, H, W) becomes (C * s * s, H / s, W / s), or with reverse (C / (s * s), H * s, W * s).

    It is not the usual space-to-depth: the elements are taken as if the input had C / (s * s) channels of s times the height and width.
    """

    refuses_inplace = True

    @classmethod
    def parse(cls, message: Any) -> ReorgParams:
        """Read reorg_param."""
        p = message.reorg_param
        return ReorgParams(int(p.stride) if p.HasField("stride") else 0, p.reverse)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Two views around a permutation of six axes."""
        shape, s = bottoms[0].shape, self.params.stride
        self.check(s > 0, "stride is missing or 0; it must be a positive number")
        self.check(len(shape) == 4, f"the bottom has the shape {shape}; it needs the four axes N, C, H, W")
        n, c, h, w = shape
        self.check(c % (s * s) == 0, f"the bottom has {c} channels; they must be divisible by stride * stride = {s * s}")
        self.check(self.params.reverse or (h % s == 0 and w % s == 0),
                   f"the bottom is {h} x {w}; height and width must be divisible by the stride {s}")
        k = c // (s * s)
        if self.params.reverse:
            inner, order, top = (n, s, s, k, h, w), (0, 3, 4, 1, 5, 2), (n, k, h * s, w * s)
        else:
            inner, order, top = (n, k, h, s, w, s), (0, 3, 5, 1, 2, 4), (n, c * s * s, h // s, w // s)
        x = graph.add(View(inner, self.name), bottoms)
        return graph.add(View(top, self.name), graph.add(Permute(order, self.name), x))

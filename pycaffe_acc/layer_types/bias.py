"""Bias: a sum with a learned or given shift."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.bias import Bias as BiasOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.layer_types.factor_span import factor_span


@dataclass(frozen=True)
class BiasParams:
    """bias_param."""

    axis: int
    num_axes: int
    filler: Any


@layer("Bias")
class Bias(Layer):
    """top = bottom + shift; the shift spans some axes and is blob 0, or the second bottom."""

    exact_bottoms = None
    min_bottoms = 1
    max_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> BiasParams:
        """Read bias_param."""
        p = message.bias_param
        return BiasParams(p.axis, p.num_axes, p.filler)

    def setup(self, bottoms: list[Shape]) -> None:
        """The shift, with one bottom."""
        if len(bottoms) == 1:
            _, shape = factor_span(self, bottoms, self.params.axis, self.params.num_axes)
            self.add_blob(shape, self.params.filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Bias operator."""
        axis, shape = factor_span(self, [b.shape for b in bottoms], self.params.axis, self.params.num_axes)
        return graph.add(BiasOp(axis, len(shape), self.name), bottoms, self.blobs)

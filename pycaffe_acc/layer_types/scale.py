"""Scale: a product with a learned or given factor."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.scale import Scale as ScaleOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.layer_types.factor_span import factor_span


@dataclass(frozen=True)
class ScaleParams:
    """scale_param."""

    axis: int
    num_axes: int
    bias_term: bool
    filler: Any
    bias_filler: Any


@layer("Scale")
class Scale(Layer):
    """top = bottom * factor (+ bias); the factor spans some axes and is blob 0, or the second bottom."""

    exact_bottoms = None
    min_bottoms = 1
    max_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> ScaleParams:
        """Read scale_param."""
        p = message.scale_param
        return ScaleParams(p.axis, p.num_axes, p.bias_term, p.filler if p.HasField("filler") else None, p.bias_filler)

    def setup(self, bottoms: list[Shape]) -> None:
        """The factor (with one bottom) and the bias."""
        p = self.params
        axis, shape = factor_span(self, bottoms, p.axis, p.num_axes)
        if len(bottoms) == 1:
            blob = self.add_blob(shape, p.filler)
            if p.filler is None:
                blob.assign(np.ones(shape, np.float32))
        if p.bias_term:
            self.add_blob(shape, p.bias_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Scale operator."""
        p = self.params
        axis, shape = factor_span(self, [b.shape for b in bottoms], p.axis, p.num_axes)
        return graph.add(ScaleOp(axis, len(shape), p.bias_term, self.name), bottoms, self.blobs)

"""Axpy: channel scale and residual in one layer (SENet)."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.arithmetic import Axpy as AxpyOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Axpy")
class Axpy(Layer):
    """top = bottom 0 (a scale for each channel of each image) * bottom 1 + bottom 2."""

    exact_bottoms = 3

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Axpy operator."""
        return graph.add(AxpyOp(self.name), bottoms)

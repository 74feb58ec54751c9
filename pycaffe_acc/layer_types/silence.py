"""Silence: swallows blobs that nobody reads, so that they are no net outputs."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("Silence")
class Silence(Layer):
    """Bottoms without tops."""

    exact_bottoms = None
    min_bottoms = 1
    exact_tops = 0

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Nothing."""
        return []

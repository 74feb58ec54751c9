"""Graph passes."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.tensor import Tensor


def fuse(graph: Graph, retained: set[Tensor]) -> Graph:
    """Merge operators into their producers where no retained value disappears."""
    return graph

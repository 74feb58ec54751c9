"""Operators whose results nobody reads are left out."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.tensor import Tensor


def drop_dead(graph: Graph, retained: set[Tensor]) -> Graph:
    """Without operators that reach no retained value and have no effect of their own (running statistics, files, state)."""
    live = set(retained)
    kept = []
    for node in reversed(graph.nodes):
        if node.op.effects() or not node.outputs or any(t in live for t in node.outputs):
            live.update(node.inputs)
            kept.append(node)
    return Graph.of(graph.inputs, kept[::-1])

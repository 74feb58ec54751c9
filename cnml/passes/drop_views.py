"""Views that change nothing (Split, Dropout at test time) give way to what they show."""
from __future__ import annotations

from cnml.graph import Graph, Node
from cnml.ops.view import View
from cnml.tensor import Tensor


def drop_views(graph: Graph, retained: set[Tensor]) -> Graph:
    """Readers of a view of the same shape read its source; the view itself stays only where it is retained."""
    same: dict[Tensor, Tensor] = {}
    nodes = []
    for node in graph.nodes:
        inputs = [same.get(t, t) for t in node.inputs]
        # not every operator that costs nothing is one: a Permute of a cube keeps the shape and moves the elements
        if isinstance(node.op, View) and all(t.shape == inputs[0].shape for t in node.outputs):
            same.update(dict.fromkeys(node.outputs, inputs[0]))
            if not any(t in retained for t in node.outputs):
                continue
        nodes.append(node if inputs == node.inputs else Node.of(node.op, inputs, node.parameters, node.outputs))
    return Graph.of(graph.inputs, nodes)

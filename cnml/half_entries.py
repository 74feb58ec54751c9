"""Where float32 values enter a graph that computes in FP16."""
from __future__ import annotations

from cnml.graph import Graph, Node
from cnml.ops.round_half import RoundHalf
from cnml.tensor import Tensor


def round_entries(graph: Graph) -> Graph:
    """A graph whose computing operators read values in half precision only.

    Inputs of the graph, and what operators with `results` "kept" give (positions, labels, what functions on the host make), are float32. Before an
    operator that computes with such a value it is rounded, once for all readers; the value itself stays as it is.
    """
    half: set[Tensor] = set()
    rounded: dict[Tensor, Tensor] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        inputs = list(node.inputs)
        if node.op.results == "computed":
            for i, t in enumerate(inputs[:node.op.value_inputs]):
                if t in half:
                    continue
                if t not in rounded:
                    entry = Node(RoundHalf(f"{t.name} to half"), [t], [])
                    rounded[t] = Tensor(t.shape, t.name, entry)
                    entry.outputs = [rounded[t]]
                    nodes.append(entry)
                inputs[i] = rounded[t]
            half.update(node.outputs)
        elif node.op.results == "selected" and half.issuperset(inputs):
            half.update(node.outputs)
        nodes.append(node if inputs == node.inputs else Node.of(node.op, inputs, node.parameters, node.outputs))
    return Graph.of(graph.inputs, nodes)

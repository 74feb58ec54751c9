"""The walk that merging passes share: an operator goes into the one that makes its only input."""
from __future__ import annotations

from collections.abc import Callable

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.tensor import Tensor

#: (producer, consumer) → the one operator that does both and the parameters it adds, or None
Rule = Callable[[Node, Node], "Operator | None"]


def merge_chains(graph: Graph, retained: set[Tensor], rule: Rule, ahead: bool = False) -> Graph:
    """Apply `rule` wherever a tensor that nobody retains has one producer with one output and one reader with one input.

    The merged node has the producer's inputs, the parameters of both (with `ahead` the consumer's first), and the consumer's outputs.
    """
    readers = graph.consumers()
    nodes: list[Node] = []
    made_by: dict[Tensor, int] = {}
    for node in graph.nodes:
        at = made_by.get(node.inputs[0]) if len(node.inputs) == 1 and len(node.outputs) == 1 else None
        merged = None
        if at is not None and node.inputs[0] not in retained and len(readers[node.inputs[0]]) == 1 and len(nodes[at].outputs) == 1:
            merged = rule(nodes[at], node)
        if merged is None:
            nodes.append(node)
            at = len(nodes) - 1
        else:
            assert at is not None
            both = node.parameters + nodes[at].parameters if ahead else nodes[at].parameters + node.parameters
            nodes[at] = Node.of(merged, nodes[at].inputs, both, node.outputs)
        made_by.update(dict.fromkeys(node.outputs, at))  # type: ignore[arg-type]
    return Graph.of(graph.inputs, nodes)

"""The sum at the end of a residual block is done by the convolution that makes one of its terms."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph, Node
from cnml.ops.eltwise import Eltwise
from cnml.tensor import Tensor


def fuse_sum(graph: Graph, retained: set[Tensor]) -> Graph:
    """A sum of two tensors merges into the last producer of one of them that can add (`takes_sum`) and has no activation of its own yet.

    The producer moves to the place of the sum, where its other term is sure to be there.
    """
    readers = graph.consumers()
    nodes: list[Node | None] = []
    made_by: dict[Tensor, int] = {}
    for node in graph.nodes:
        at = _producer(node, nodes, made_by, readers, retained)
        if at is not None:
            node = _merged(nodes[at], node)  # type: ignore[arg-type]
            nodes[at] = None
        made_by.update(dict.fromkeys(node.outputs, len(nodes)))
        nodes.append(node)
    return Graph.of(graph.inputs, [n for n in nodes if n is not None])


def _producer(node: Node, nodes: list[Node | None], made_by: dict[Tensor, int], readers: dict[Tensor, list[Node]],
              retained: set[Tensor]) -> int | None:
    """Which earlier node can take the sum that `node` is."""
    op = node.op
    if not isinstance(op, Eltwise) or op.operation != "SUM" or op.coefficients(len(node.inputs)) != (1.0, 1.0) or node.inputs[0] is node.inputs[1]:
        return None
    places = [made_by[t] for t in node.inputs if t in made_by and t not in retained and len(readers[t]) == 1]
    for at in sorted(places, reverse=True):
        maker: Any = nodes[at].op  # type: ignore[union-attr]
        if hasattr(maker, "takes_sum") and maker.takes_sum(nodes[at].inputs[0].shape):  # type: ignore[union-attr]
            return at
    return None


def _merged(maker: Node, total: Node) -> Node:
    term = next(t for t in total.inputs if t not in maker.outputs)
    op: Any = maker.op
    end: Any = total.op
    summed = op.fused(residual=True, activation=end.activation, name=f"{op.name}+{end.name}")
    return Node.of(summed, [*maker.inputs, term], maker.parameters, total.outputs)

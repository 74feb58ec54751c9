"""Graph passes: affine steps and activations move into the operator that makes their input."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph, Node
from cnml.tensor import Tensor


def fuse(graph: Graph, retained: set[Tensor]) -> Graph:
    """Merge operators into their producers where no retained value disappears.

    A producer is an operator with a `fused` method (Convolution, InnerProduct). A consumer says with `as_fold` that it is an affine step per
    channel, or with `as_activation` that it is an activation the producer can apply while it stores.

    Parameters
    ----------
    graph : Graph
        Left as it is.
    retained : set of Tensor
        Values that must be readable after a run.

    Returns
    -------
    Graph
        With the same tensors, fewer nodes.
    """
    consumers = graph.consumers()
    result = Graph()
    result.inputs = graph.inputs
    producer: dict[Tensor, int] = {}
    for node in graph.nodes:
        at = producer.get(node.inputs[0]) if len(node.inputs) == 1 and len(node.outputs) == 1 else None
        merged = None
        if at is not None and node.inputs[0] not in retained and len(consumers[node.inputs[0]]) == 1:
            merged = _merge(result.nodes[at], node)
        if merged is None:
            result.nodes.append(node)
            at = len(result.nodes) - 1
        else:
            assert at is not None
            result.nodes[at] = merged
        for t in node.outputs:
            producer[t] = at if at is not None else len(result.nodes) - 1
    return result


def _merge(producer: Node, consumer: Node) -> Node | None:
    """The two as one node, or None when the producer cannot take the step."""
    op: Any = producer.op
    if not hasattr(op, "fused") or len(producer.outputs) != 1:
        return None
    name = f"{op.name}+{consumer.op.name}"
    fold = consumer.op.as_fold(consumer.inputs[0].shape, [p.shape for p in consumer.parameters])
    if fold is not None and op.activation.kind == "none" and op.takes_folds(consumer.inputs[0].shape):
        merged = Node(op.fused(fold=fold, name=name), producer.inputs, producer.parameters + consumer.parameters)
    else:
        activation = consumer.op.as_activation()
        if activation is None or op.activation.kind != "none":
            return None
        merged = Node(op.fused(activation=activation, name=name), producer.inputs, producer.parameters)
    merged.outputs = consumer.outputs
    return merged

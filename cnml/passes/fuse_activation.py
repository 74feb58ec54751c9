"""Activations are applied by the operator before them while it stores."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.passes.merge import merge_chains
from cnml.tensor import Tensor


def fuse_activation(graph: Graph, retained: set[Tensor]) -> Graph:
    """Operators that `as_activation` says are activations merge into a producer that has none yet."""
    return merge_chains(graph, retained, _activated)


def _activated(producer: Node, consumer: Node) -> Operator | None:
    op: Any = producer.op
    activation = consumer.op.as_activation()
    if activation is None or not hasattr(op, "fused") or op.activation.kind != "none":
        return None
    merged: Operator = op.fused(activation=activation, name=f"{op.name}+{consumer.op.name}")
    return merged

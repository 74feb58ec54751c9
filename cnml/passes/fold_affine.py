"""Affine steps per channel (BatchNorm, Scale, Bias) go into the weights of the operator before them."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.passes.merge import merge_chains
from cnml.tensor import Tensor


def fold_affine(graph: Graph, retained: set[Tensor]) -> Graph:
    """Operators that `as_fold` says are affine steps merge into a producer that takes them (`takes_folds`)."""
    return merge_chains(graph, retained, _folded)


def _folded(producer: Node, consumer: Node) -> Operator | None:
    op: Any = producer.op
    fold = consumer.op.as_fold(consumer.inputs[0].shape, [p.shape for p in consumer.parameters])
    if fold is None or not hasattr(op, "fused") or op.activation.kind != "none" or not op.takes_folds(consumer.inputs[0].shape):
        return None
    merged: Operator = op.fused(fold=fold, name=f"{op.name}+{consumer.op.name}")
    return merged

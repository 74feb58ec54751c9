"""Affine steps per channel go into the weights of the operator after them."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.passes.merge import merge_chains
from cnml.tensor import Tensor


def fold_ahead(graph: Graph, retained: set[Tensor]) -> Graph:
    """A BatchNorm, Scale or Bias that no producer took merges into a reader that takes it (`takes_fold_ahead`)."""
    return merge_chains(graph, retained, _ahead, ahead=True)


def _ahead(producer: Node, consumer: Node) -> Operator | None:
    op: Any = consumer.op
    if len(producer.inputs) != 1 or not hasattr(op, "takes_fold_ahead") or getattr(producer.op, "activation", None) is None:
        return None
    folds = _steps(producer)
    if not folds or producer.op.activation.kind != "none" or not op.takes_fold_ahead(producer.inputs[0].shape, folds):  # type: ignore[attr-defined]
        return None
    merged: Operator = op.preceded(folds, name=f"{producer.op.name}+{op.name}")
    return merged


def _steps(node: Node) -> tuple[Any, ...]:
    """The affine steps that an operator is, in order."""
    own = getattr(node.op, "folds", None)
    if own is not None and node.op.kind == "ChannelMap":
        return tuple(own)
    fold = node.op.as_fold(node.inputs[0].shape, [p.shape for p in node.parameters])
    return () if fold is None else (fold,)

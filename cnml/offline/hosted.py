"""Which operators a function on the device cannot hold."""
from __future__ import annotations

from cnml.emitter import Emitter
from cnml.graph import Node
from cnml.offline.operator_table import name_of


def host_reason(node: Node) -> str:
    """Why an operator stays on the host; an empty text for one that a program can hold.

    Parameters
    ----------
    node : Node

    Returns
    -------
    str
    """
    op = node.op
    if op.host_reason:
        return op.host_reason
    if op.effects():
        return "it keeps a state, or its results' shapes depend on the data"
    if name_of(op) is None:
        return f"offline programs have no form for {type(op).__name__}"
    if any(t.count == 0 for t in (*node.inputs, *node.outputs)):
        return "it works on an empty tensor"
    if op.view or node.parameters:  # none of those with parameters decides by shapes
        return ""
    emit = Emitter(node)
    op.lower(emit, node.inputs, node.outputs)
    return "" if emit.hosted is None else emit.notes.removeprefix("host: ") or "its kernel does not take these shapes"

"""A directed acyclic graph of operators in single-assignment form."""
from __future__ import annotations

from collections.abc import Sequence

from cnml.errors import CnmlError
from cnml.operator import Operator
from cnml.parameter import Parameter
from cnml.tensor import Shape, Tensor


class Node:
    """One use of an operator.

    Attributes
    ----------
    op : Operator
    inputs, outputs : list of Tensor
    parameters : list of Parameter
    """

    __slots__ = ("op", "inputs", "outputs", "parameters")

    def __init__(self, op: Operator, inputs: list[Tensor], parameters: list[Parameter]):
        self.op = op
        self.inputs = inputs
        self.parameters = parameters
        self.outputs: list[Tensor] = []

    @classmethod
    def of(cls, op: Operator, inputs: list[Tensor], parameters: list[Parameter], outputs: list[Tensor]) -> Node:
        """A node that makes tensors which are there already."""
        node = cls(op, inputs, parameters)
        node.outputs = outputs
        return node

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.op.name

    def __repr__(self) -> str:
        return f"Node({self.op!r}, {[t.shape for t in self.inputs]} -> {[t.shape for t in self.outputs]})"


class Graph:
    """Operators in order of execution, with their tensors."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.inputs: list[Tensor] = []

    @classmethod
    def of(cls, inputs: list[Tensor], nodes: list[Node]) -> Graph:
        """A graph of nodes that are there already."""
        graph = cls()
        graph.inputs, graph.nodes = inputs, nodes
        return graph

    def copy(self, substitutes: dict[Parameter, Parameter]) -> tuple[Graph, dict[Tensor, Tensor]]:
        """The same graph with tensors of its own.

        Parameters
        ----------
        substitutes : dict
            Parameters to read instead of others.

        Returns
        -------
        Graph
        dict of Tensor to Tensor
            Each tensor's twin.
        """
        twins = {t: Tensor(t.shape, t.name) for t in self.inputs}
        nodes = []
        for node in self.nodes:
            parameters = [substitutes.get(p, p) for p in node.parameters]
            made = Node(node.op, [twins[t] for t in node.inputs], parameters)
            made.outputs = [Tensor(t.shape, t.name, made) for t in node.outputs]
            twins.update(zip(node.outputs, made.outputs, strict=True))
            nodes.append(made)
        return Graph.of([twins[t] for t in self.inputs], nodes), twins

    def input(self, shape: Shape, name: str) -> Tensor:
        """A tensor that comes from outside, in PLAIN layout."""
        t = Tensor(shape, name)
        self.inputs.append(t)
        return t

    def add(self, op: Operator, inputs: Sequence[Tensor], parameters: Sequence[Parameter] = ()) -> list[Tensor]:
        """Append an operator and return its outputs.

        Parameters
        ----------
        op : Operator
        inputs : sequence of Tensor
        parameters : sequence of Parameter

        Returns
        -------
        list of Tensor

        Raises
        ------
        CnmlError
            From the operator's shape rule, or for a negative output extent.
        """
        node = Node(op, list(inputs), list(parameters))
        shapes = op.reshape([t.shape for t in inputs], [p.shape for p in parameters])
        for s in shapes:
            if any(d < 0 for d in s):
                raise CnmlError(f"failed to reshape {op.kind} '{op.name}' with inputs {[t.shape for t in inputs]}: its output would have the shape "
                                f"{s}; extents must not be negative")
        node.outputs = [Tensor(s, op.name if len(shapes) == 1 else f"{op.name}:{i}", node) for i, s in enumerate(shapes)]
        self.nodes.append(node)
        return list(node.outputs)

    def consumers(self) -> dict[Tensor, list[Node]]:
        """For each tensor, the nodes that read it (a node that reads it twice stands twice)."""
        table: dict[Tensor, list[Node]] = {}
        for node in self.nodes:
            for t in node.inputs:
                table.setdefault(t, []).append(node)
        return table

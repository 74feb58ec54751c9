"""From a graph of float32 values to one that computes in INT8 where its layers say how.

Every operator with `int8` reads codes: a `Quantize` stands before it. Between such operators values stay codes: the result of one is quantized where
it is made, by the parameters that its readers ask for, and maxima, joins, averages and sums are taken of codes. `between=False` leaves all of that
out, as the vendor's card does, whose values between the operators are halves.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnml.codes import Codes
from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.ops.concat import Concat
from cnml.ops.concat_int8 import ConcatInt8
from cnml.ops.convolution import Convolution
from cnml.ops.convolution_int8 import ConvolutionInt8, int8_image, is_depthwise
from cnml.ops.dequantize import Dequantize
from cnml.ops.eltwise import Eltwise
from cnml.ops.inner_product import InnerProduct
from cnml.ops.pool import Pool
from cnml.ops.pool_int8 import PoolInt8
from cnml.ops.quantize import Quantize
from cnml.ops.sum_int8 import SumInt8
from cnml.tensor import Tensor


def in_floats(graph: Graph) -> Graph:
    """The graph without `int8`, for the other precisions."""
    nodes = [Node.of(_floats(n.op), n.inputs, n.parameters, n.outputs) if getattr(n.op, "int8", None) else n for n in graph.nodes]
    return Graph.of(graph.inputs, nodes)


def _floats(op: Any) -> Operator:
    floats: Operator = op.in_floats()
    return floats


def int8_graph(graph: Graph, retained: Iterable[Tensor], between: bool = True) -> Graph:
    """The graph that computes in INT8.

    Parameters
    ----------
    graph : Graph
        After the passes that fuse operators.
    retained : iterable of Tensor
        Values that must be readable after a run; they stay float32.
    between : bool
        Whether values stay codes between operators.

    Returns
    -------
    Graph
    """
    return _Rewriting(graph, list(retained), _wanted(graph) if between else None).result()


def computes_int8(node: Node, card: bool = False) -> bool:
    """Whether a node says how it computes in INT8, and the kernels can; the vendor's card takes depthwise convolutions in halves."""
    op = node.op
    if not isinstance(op, (Convolution, InnerProduct)) or op.int8 is None:
        return False
    image = int8_image(op, node.inputs[0].shape)
    return image is not None and not (card and is_depthwise(image))


def _selects(node: Node) -> bool:
    """Whether a node's results are values of its inputs, so that codes of one kind pass through it."""
    op = node.op
    if isinstance(op, Pool):
        return op.method == "MAX" and not op.mask
    return isinstance(op, Concat) and op.axis == 1 and len(node.outputs[0].shape) == 4


def _wanted(graph: Graph) -> dict[Tensor, Codes]:
    """The codes in which a tensor should be made: those that all of its readers in INT8 agree on."""
    asked: dict[Tensor, dict[Codes, None]] = {}
    for node in reversed(graph.nodes):
        if computes_int8(node):
            asked.setdefault(node.inputs[0], {})[node.op.int8.data] = None  # type: ignore[attr-defined]
        elif _selects(node) and len(asked.get(node.outputs[0], ())) == 1:
            for t in node.inputs:
                asked.setdefault(t, {}).update(asked[node.outputs[0]])
    return {t: next(iter(codes)) for t, codes in asked.items() if len(codes) == 1}


class _Rewriting:
    """Nodes one after the other; of every tensor the forms that are there, None for float32."""

    def __init__(self, graph: Graph, retained: list[Tensor], wanted: dict[Tensor, Codes] | None):
        self._graph, self._retained, self._wanted, self._card = graph, retained, wanted or {}, wanted is None
        self._nodes: list[Node] = []
        self._forms: dict[Tensor, dict[Codes | None, Tensor]] = {t: {None: t} for t in graph.inputs}

    def result(self) -> Graph:
        for node in self._graph.nodes:
            if computes_int8(node, self._card):
                self._compute(node)
            elif not self._pass_on(node):
                inputs = [self._have(t, None) for t in node.inputs]
                self._nodes.append(node if inputs == node.inputs else Node.of(node.op, inputs, node.parameters, node.outputs))
                self._forms.update((t, {None: t}) for t in node.outputs)
        for t in self._retained:
            if t in self._forms:
                self._have(t, None)
        return Graph.of(self._graph.inputs, self._nodes)

    def _have(self, t: Tensor, codes: Codes | None) -> Tensor:
        """A tensor in the form that a reader wants."""
        forms = self._forms[t]
        if codes in forms:
            return forms[codes]
        if codes is None:
            known = next(iter(forms))
            assert known is not None
            self._add(Dequantize(known, f"{t.name} to float32"), [forms[known]], [], t)
            forms[None] = t
        else:
            forms[codes] = self._add(Quantize(codes, f"{t.name} to int8"), [self._have(t, None)], [], _coded(t, codes))
        return forms[codes]

    def _known(self, t: Tensor) -> Codes | None:
        """The codes in which a tensor is there already; the card reads halves wherever a layer does not quantize its input itself."""
        return None if self._card else next((c for c in self._forms[t] if c is not None), None)

    def _add(self, op: Operator, inputs: list[Tensor], parameters: list[Any], out: Tensor) -> Tensor:
        self._nodes.append(Node.of(op, inputs, parameters, [out]))
        return out

    def _compute(self, node: Node) -> None:
        """A convolution or inner product, in codes where somebody wants its result so."""
        op: Any = node.op
        out, codes = node.outputs[0], self._wanted.get(node.outputs[0])
        inputs, added = [self._have(node.inputs[0], op.int8.data)], None
        for t in node.inputs[1:]:
            added = self._known(t)
            inputs.append(self._have(t, added))
        made = out if codes is None else _coded(out, codes)
        self._add(ConvolutionInt8(op, codes, added), inputs, node.parameters, made)
        self._forms[out] = {codes: made}

    def _pass_on(self, node: Node) -> bool:
        """A maximum, join, sum or average of codes; False if it has to be taken of float32 values."""
        op, out = node.op, node.outputs[0]
        codes = self._wanted.get(out)
        if _selects(node) and codes is not None:
            inputs = [self._have(t, codes) for t in node.inputs]
            made = _coded(out, codes)
            self._add(PoolInt8(op, codes, codes) if isinstance(op, Pool) else ConcatInt8(codes, op.name), inputs, [], made)
            self._forms[out] = {codes: made}
            return True
        known = self._known(node.inputs[0]) if node.inputs else None
        if isinstance(op, Eltwise) and op.operation == "SUM" and len(node.inputs) == 2 and len(out.shape) == 4 and codes is not None:
            other = self._known(node.inputs[1])
            if known is None or other is None:
                return False
            inputs = [self._have(node.inputs[0], known), self._have(node.inputs[1], other)]
            self._forms[out] = {codes: self._add(SumInt8(op, (known, other), codes), inputs, [], _coded(out, codes))}
            return True
        if isinstance(op, Pool) and op.method == "AVE":
            if known is None:
                return False
            made = out if codes is None else _coded(out, codes)
            self._add(PoolInt8(op, known, codes), [self._forms[node.inputs[0]][known]], [], made)
            self._forms[out] = {codes: made}
            return True
        return False


def _coded(t: Tensor, codes: Codes) -> Tensor:
    return Tensor(t.shape, t.name, codes=codes)

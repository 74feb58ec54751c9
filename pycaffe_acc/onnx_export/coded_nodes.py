"""The nodes of a net that computes in INT8, as the engine would run it."""
from __future__ import annotations

from collections.abc import Iterable, Mapping

from cnml.codes import Codes
from cnml.epilogue import IDENTITY
from cnml.executable import NOT_IN_INT8
from cnml.graph import Node
from cnml.int8_graph import int8_graph
from cnml.ops.convolution import Convolution
from cnml.ops.convolution_int8 import ConvolutionInt8
from cnml.ops.dequantize import Dequantize
from cnml.ops.eltwise import Eltwise
from cnml.ops.quantize import Quantize
from cnml.passes import run_passes
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer
from pycaffe_acc.onnx_export.net_operators import NetOperators

Step = tuple[Layer, Node]


class CodedNodes:
    """What `int8_graph` makes of a net's operators, with the operators between its INT8 nodes as the layers wrote them.

    Which values are codes is the engine's decision. Of an operator that stays in floating point nothing is kept that passes folded into it, since
    runtimes fold by themselves.

    Parameters
    ----------
    source : NetOperators
        Without refused layers.
    results : dict of str to Codes
        Blob → codes that the result of a convolution or inner product goes through, where the engine would leave it in floats.

    Attributes
    ----------
    nodes : list of (Layer, Node)
        Values that are made as codes alone have the tensor of the float value; a Quantize in front of a reader makes a tensor of its own.
    """

    def __init__(self, source: NetOperators, results: Mapping[str, Codes]):
        self.nodes: list[Step] = []
        self._makers = {t: (layer, node) for layer, node in source.nodes for t in node.outputs}
        self._done: set[Tensor] = set(source.graph.inputs)
        self._floats: dict[Tensor, Tensor] = {}
        self._waiting: list[Node] = []
        self._results = {source.blobs[name]: codes for name, codes in results.items() if name in source.blobs}
        retained = {source.blobs[name] for name in source.outputs}
        fused = run_passes(source.graph, retained, NOT_IN_INT8)
        made = iter(fused.nodes)  # each of these gives one node, in order; Quantize and Dequantize come between them
        for node in int8_graph(fused, retained).nodes:
            if isinstance(node.op, Dequantize):  # its value is there: what reads codes in ONNX reads the floats that they stand for
                self._floats[node.inputs[0]] = node.outputs[0]
            elif isinstance(node.op, Quantize):
                self._waiting.append(node)
            else:
                self._node(node, next(made).outputs)

    def _node(self, node: Node, results: list[Tensor]) -> None:
        steps = self._missing(results)
        if all(t.codes is None for t in (*node.inputs, *node.outputs)):
            for layer, step in steps:
                self._append(layer, step, step.outputs)
            return
        layer = next((lay for lay, n in steps if getattr(n.op, "int8", None) is not None), steps[-1][0])
        for quantize in self._waiting:
            self._append(layer, quantize, quantize.outputs)
        self._waiting.clear()
        self._floats.update(zip(node.outputs, results, strict=True))
        if isinstance(node.op, ConvolutionInt8):
            self._convolution(layer, node, steps, results)
        else:
            self._append(layer, node, results)

    def _convolution(self, layer: Layer, node: Node, steps: list[Step], results: list[Tensor]) -> None:
        op = node.op
        assert isinstance(op, ConvolutionInt8)
        if op.codes is None and not op.residual and results[0] in self._results:
            node = Node.of(ConvolutionInt8(op.source, self._results[results[0]]), node.inputs, node.parameters, node.outputs)
        term = self._term(steps) if op.residual else None
        if term not in self._results:
            self._append(layer, node, results)
            return
        assert isinstance(op.source, Convolution) and term is not None
        alone = ConvolutionInt8(op.source.fused(activation=IDENTITY, residual=False), self._results[term])
        self._append(layer, Node.of(alone, node.inputs[:1], node.parameters, []), [term])
        *before, (last, end) = self._missing(results)
        for lay, step in before:
            self._append(lay, step, step.outputs)
        total = Tensor(results[0].shape, end.name) if op.codes else results[0]
        self._append(last, end, [total])
        if op.codes:
            self._append(last, Node.of(Quantize(op.codes, end.name), [total], [], []), results)

    def _term(self, steps: list[Step]) -> Tensor | None:
        """What the convolution among the steps gives to the sum among them."""
        total = next(node for _, node in steps if isinstance(node.op, Eltwise))
        return next((t for t in total.inputs if any(getattr(n.op, "int8", None) is not None for _, n in self._missing([t]))), None)

    def _append(self, layer: Layer, node: Node, outputs: list[Tensor]) -> None:
        self.nodes.append((layer, Node.of(node.op, [self._floats.get(t, t) for t in node.inputs], node.parameters, outputs)))
        self._done.update(outputs)

    def _missing(self, wanted: Iterable[Tensor]) -> list[Step]:
        """The net's operators, in order, between values that are there and wanted ones."""
        seen: set[Tensor] = set()
        found: list[Step] = []

        def visit(t: Tensor) -> None:
            if t not in self._done and t not in seen:
                layer, node = self._makers[t]
                seen.update(node.outputs)
                for source in node.inputs:
                    visit(source)
                found.append((layer, node))
        for t in wanted:
            visit(t)
        return found

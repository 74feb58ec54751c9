"""From a net's operators to a named ONNX graph."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cnml.codes import Codes
from cnml.graph import Node
from cnml.tensor import Shape, Tensor
from pycaffe_acc.errors import CheckError
from pycaffe_acc.layer import Layer
from pycaffe_acc.net import Net
from pycaffe_acc.onnx_export.coded_nodes import CodedNodes
from pycaffe_acc.onnx_export.net_operators import NetOperators
from pycaffe_acc.onnx_export.onnx_graph import CodedValue, OnnxGraph, OnnxNode, Step
from pycaffe_acc.onnx_export.refusal import NotExpressibleError, Refusal, RefusedLayer
from pycaffe_acc.onnx_export.subsampling import subsample
from pycaffe_acc.onnx_export.translators import translate

#: nodes that do not get the name of their layer
CODINGS = ("QuantizeLinear", "DequantizeLinear")


@dataclass
class NamedGraph:
    """What a model file holds.

    Attributes
    ----------
    name : str
    opset : int
    nodes : list of OnnxNode
        In order, without those that nothing reads.
    arrays : dict of str to ndarray
    inputs, outputs : dict of str to shape
    states : dict of str to str
        Inputs that are zeros unless fed (a recurrent layer's first state) → the outputs that hold what to feed next.
    ranges : dict of str to int
        Inputs that take whole numbers below a limit.
    regions : dict of str to (int, float, float)
        Inputs that take regions of interest: images, and height and width of an image.
    blobs : dict of str to str
        Output → the net's blob that it is.
    codes : dict of str to CodedValue
        In INT8: values that went through codes, if they are a blob of the net or were made of one.
    notes : list of str
    """

    name: str
    opset: int
    nodes: list[OnnxNode] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, int] = field(default_factory=dict)
    regions: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    codes: dict[str, CodedValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Translation:
    """One run over a net.

    Parameters
    ----------
    net : Net
    opset : int
    outputs : sequence of str
        Blobs; none: the net's outputs.
    results : dict of str to Codes, optional
        See `CodedNodes`.
    subsampled : bool
        See `subsample`.

    Raises
    ------
    NotExpressibleError
        Naming all layers that cannot be translated.
    CheckError
        When nothing is left to export.
    """

    def __init__(self, net: Net, opset: int, outputs: Sequence[str] = (), results: Mapping[str, Codes] | None = None,
                 subsampled: bool = False):
        self._net, self._results = net, results or {}
        self._source = NetOperators(net, outputs)
        self._graph = OnnxGraph(opset)
        self._values: dict[Tensor, str] = {}
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        for tensor in self._source.inputs.values():
            self._values[tensor] = self._graph.value()
        refused = self._source.refused + self._translate()
        if refused:
            order = {name: i for i, name in enumerate(net._layer_names)}
            raise NotExpressibleError(net.name, sorted(refused, key=lambda r: order[r.name]))
        if subsampled:
            subsample(self._graph)
        if not self._source.outputs:
            raise CheckError(f"net '{net.name}' has nothing to export: no layer computes an output from its inputs")

    def _value(self, tensor: Tensor) -> str:
        if tensor not in self._values:  # made by a refused layer; the export ends after the rest was looked at
            self._values[tensor] = self._graph.value()
        return self._values[tensor]

    def _translate(self) -> list[RefusedLayer]:
        refused: dict[str, RefusedLayer] = {}
        for layer, node in self._nodes():
            if layer.name in refused:
                continue
            try:
                self._node(layer, node)
            except Refusal as e:
                refused[layer.name] = RefusedLayer(layer.name, layer.type, str(e))
        return list(refused.values())

    def _nodes(self) -> list[tuple[Layer, Node]]:
        """What is to be written. With refused layers only reasons are looked for, and INT8 has none that its floats have not."""
        coded = self._net.source.precision == "int8" and not self._source.refused
        return CodedNodes(self._source, self._results).nodes if coded else self._source.nodes

    def _node(self, layer: Layer, node: Node) -> None:
        self._graph.layer = layer.name
        step = Step(node.op, [self._value(t) for t in node.inputs], [t.shape for t in node.inputs], [t.shape for t in node.outputs],
                    node.parameters)
        if any(0 in shape for shape in (*step.shapes, *step.tops)):
            raise Refusal("one of its blobs is empty, and runtimes of ONNX refuse empty values in most operators")
        self._values.update(zip(node.outputs, translate(self._graph, step), strict=True))

    # ---- names ------------------------------------------------------------------------------------------------------------------------------

    def named(self) -> NamedGraph:
        """The graph under the names of layers and blobs, reduced to what the outputs need."""
        g, source = self._graph, self._source
        result = NamedGraph(self._net.name or "net", g.opset, notes=list(source.notes))
        nodes, ends = self._outputs(result)
        nodes = _needed([*g.nodes, *nodes], ends)
        read = {v for n in nodes for v in n.inputs}
        self._inputs(result, read)
        self._name_blobs()
        result.nodes = self._renamed(nodes)
        for value, array in g.arrays.items():
            if value in read:
                result.arrays[self._name(value, g.weight_names.get(value, ""))] = array
        result.codes = self._codes()
        return result

    def _codes(self) -> dict[str, CodedValue]:
        blobs = {self._values[t]: name for name, t in self._source.blobs.items() if t in self._values}
        return {self._names[value]: CodedValue(codes, blobs[source or value], bool(source)) for value, (codes, source) in self._graph.coded.items()
                if value in self._names and (source or value) in blobs}

    def _claim(self, name: str) -> str:
        """The name, or with a number behind it when it is taken."""
        free, n = name, 2
        while free in self._taken:
            free, n = f"{name}/{n}", n + 1
        self._taken.add(free)
        return free

    def _name(self, value: str, wish: str = "") -> str:
        if value and value not in self._names:
            self._names[value] = self._claim(wish or f"constant{value[1:]}")
        return self._names.get(value, "")

    def _inputs(self, result: NamedGraph, read: set[str]) -> None:
        """Tops of Input layers, and tops of data layers that something reads (a label that only a loss read is gone)."""
        for name, tensor in self._source.inputs.items():
            if name in self._net.inputs or self._values[tensor] in read:
                result.inputs[name] = tensor.shape
                if self._values[tensor] in self._graph.ranges:
                    result.ranges[name] = self._graph.ranges[self._values[tensor]]
                if self._values[tensor] in self._graph.regions:
                    result.regions[name] = self._graph.regions[self._values[tensor]]

    def _outputs(self, result: NamedGraph) -> tuple[list[OnnxNode], list[str]]:
        """Name inputs and outputs first, since those names are promised; returns copies of values that go by several names, and all outputs."""
        g, copies, ends = self._graph, [], []
        for name, tensor in self._source.inputs.items():
            self._names[self._values[tensor]] = self._claim(name)
        for blob in self._source.outputs:
            tensor = self._source.blobs[blob]
            value = self._values[tensor]
            if value in self._names or value in g.arrays:
                copies.append(OnnxNode("Identity", [value], [g.value()], blob))
                value = copies[-1].outputs[0]
            name = self._names[value] = self._claim(blob)
            if name != blob:
                result.notes.append(f"the output '{blob}' is called '{name}', because an input has its name")
            result.outputs[name], result.blobs[name] = tensor.shape, blob
            ends.append(value)
        for s in g.states:
            self._names[s.initial] = self._claim(s.name)
            if s.last in self._names:
                copies.append(OnnxNode("Identity", [s.last], [g.value()], s.last_name))
            value = copies[-1].outputs[0] if s.last in self._names else s.last
            self._names[value] = self._claim(s.last_name)
            result.states[self._names[s.initial]] = self._names[value]
            result.inputs[self._names[s.initial]] = result.outputs[self._names[value]] = s.shape
            ends.append(value)
        return copies, ends

    def _name_blobs(self) -> None:
        """Values under the names of their blobs; the last value of a blob that layers change in place gets the name itself."""
        final = [(n, t) for n, t in self._source.bindings if self._source.blobs[n] is t]
        for name, tensor in (*final, *self._source.bindings):
            value = self._values.get(tensor, "")  # in INT8 not every blob is a value of the graph
            if value and value not in self._names and value not in self._graph.arrays:
                self._names[value] = self._claim(name)

    def _renamed(self, nodes: list[OnnxNode]) -> list[OnnxNode]:
        taken: set[str] = set()
        made = []
        for node in nodes:
            label = node.layer if node.layer not in taken and node.op not in CODINGS else f"{node.layer}/{node.op}"
            n = 2
            while label in taken:
                label, n = f"{node.layer}/{node.op}{n}", n + 1
            taken.add(label)
            outputs = [self._name(v, f"{label}/{i}" if i else f"{label}/y") for i, v in enumerate(node.outputs)]
            inputs = [self._name(v, self._graph.weight_names.get(v, "")) for v in node.inputs]
            made.append(OnnxNode(node.op, inputs, outputs, label, node.attributes))
        return made


def _needed(nodes: list[OnnxNode], ends: list[str]) -> list[OnnxNode]:
    """The nodes that the outputs depend on."""
    wanted, kept = set(ends), []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    return kept[::-1]

"""Graph → program."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnml.errors import CnmlError, Status
from cnml.graph import Graph, Node
from cnml.offline.descriptors import describe
from cnml.offline.hosted import host_reason
from cnml.offline.operator_table import OPERATORS, name_of
from cnml.ops.convolution import Convolution
from cnml.ops.deconvolution import Deconvolution
from cnml.ops.inner_product import InnerProduct
from cnml.ops.prior_box import PriorBox
from cnml.parameter import Parameter
from cnml.reference.half import half_bits
from cnml.tensor import Tensor
from cnrt.enums import DimOrder
from cnrt.program import Program

#: of inputs, of outputs
Orders = tuple[DimOrder, DimOrder]
NCHW: Orders = (DimOrder.NCHW, DimOrder.NCHW)

#: name of the language, in files and in the entry-point group `cnrt.programs`
LANGUAGE = "cnml"
#: of the body; a reader takes this one only
FORMAT = 1
_HALF_WEIGHTS = (Convolution, Deconvolution, InnerProduct)
_HALF_PRECISIONS = ("fp16", "mlu")


def write_program(name: str, graph: Graph, outputs: Mapping[str, Tensor], precision: str = "fp32", orders: Orders = NCHW) -> Program:
    """The program of a graph, as the layers made it: before passes, packing and the choice of kernels.

    Parameters
    ----------
    name : str
        The symbol.
    graph : Graph
        Its inputs are the program's, under their tensors' names, but for those of which only the shape is read.
    outputs : mapping of str to Tensor
        What an invocation gives, in order.
    precision : str
        See `cnml.executable.Executable`. "fp16" and "mlu" store weights as halves, but for those that are quantized.
    orders : (DimOrder, DimOrder)
        How inputs and outputs of four axes lie on the device: NCHW or NHWC.

    Returns
    -------
    Program
        With copies of the parameters' values.

    Raises
    ------
    CnmlError
        UNSUPPORT, naming the operator, for one that only the host can run.
    CnrtError
        INVALID_DATADESC for an empty input or output.
    """
    readers = graph.consumers()
    inputs = [t for t in graph.inputs if t in outputs.values() or any(not isinstance(n.op, PriorBox) for n in readers.get(t, ()))]
    tensors = {t: i for i, t in enumerate([*graph.inputs, *(t for n in graph.nodes for t in n.outputs)])}
    arrays = _Constants(graph, precision)
    nodes = [_node(n, tensors, arrays) for n in graph.nodes]
    body = {"format": FORMAT, "precision": precision,
            "tensors": [{"name": t.name, "shape": list(t.shape), "quantization": None} for t in tensors],
            "inputs": [tensors[t] for t in inputs], "shapes": [tensors[t] for t in graph.inputs if t not in inputs],
            "outputs": [tensors[t] for t in outputs.values()], "parameters": arrays.rows, "operators": nodes}
    return Program(name, LANGUAGE, body, tuple(arrays.constants), tuple(describe(t.name, t.shape, orders[0]) for t in inputs),
                   tuple(describe(n, t.shape, orders[1]) for n, t in outputs.items()))


def _node(node: Node, tensors: dict[Tensor, int], arrays: _Constants) -> dict[str, Any]:
    reason = host_reason(node)
    name = name_of(node.op)
    if reason or name is None:
        raise CnmlError(f"failed to put {node.op.kind} '{node.op.name}' into an offline program: it runs on the host ({reason})", Status.UNSUPPORT)
    return {"operator": name, "name": node.op.name, "fields": OPERATORS[name].encode(node.op), "inputs": [tensors[t] for t in node.inputs],
            "outputs": [tensors[t] for t in node.outputs], "parameters": [arrays.number(p) for p in node.parameters]}


class _Constants:
    """The parameters' rows, and their values: once for all parameters over the same memory."""

    def __init__(self, graph: Graph, precision: str):
        self.rows: list[dict[str, Any]] = []
        self.constants: list[np.ndarray] = []
        self._numbers: dict[Parameter, int] = {}
        self._places: dict[int, int] = {}
        self._halves = precision in _HALF_PRECISIONS
        self._wide: set[int] = set()  # values with another use than as weights
        for node in graph.nodes:
            halves = isinstance(node.op, _HALF_WEIGHTS) and getattr(node.op, "int8", None) is None  # codes are made of the float32 values
            weights = node.parameters[:1] if halves else []
            self._wide.update(id(p.kin()) for p in node.parameters if p not in weights)

    def number(self, parameter: Parameter) -> int:
        """The number of a parameter's row."""
        if parameter not in self._numbers:
            self._numbers[parameter] = len(self.rows)
            self.rows.append({"name": parameter.name, "shape": list(parameter.shape), "constant": self._constant(parameter), "quantization": None})
        return self._numbers[parameter]

    def _constant(self, parameter: Parameter) -> int:
        key = id(parameter.kin())
        if key not in self._places:
            parameter.refresh()
            half = self._halves and key not in self._wide
            self._places[key] = len(self.constants)
            self.constants.append(half_bits(parameter.array).view(np.float16) if half else np.array(parameter.array))
        return self._places[key]

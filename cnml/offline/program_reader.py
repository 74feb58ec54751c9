"""Program → graph. Everything is checked before anything is allocated."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from cnml.errors import CnmlError
from cnml.executable import PRECISIONS
from cnml.graph import Graph, Node
from cnml.offline.descriptors import describe
from cnml.offline.fields import Kind, Many, Whole, Word, decode_table
from cnml.offline.hosted import host_reason
from cnml.offline.operator_table import AXES, OPERATORS
from cnml.offline.program_writer import FORMAT
from cnml.operator import Operator
from cnml.ops.prior_box import PriorBox
from cnml.parameter import Parameter
from cnml.tensor import Shape, Tensor, count
from cnrt.devices.host import memory_limit
from cnrt.enums import DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.program import Program


class _Anything:
    """Any JSON value: somebody else checks it."""

    def encode(self, value: Any) -> Any:
        """As it is."""
        return value

    def decode(self, value: Any) -> Any:
        """As it is."""
        return value


_numbers = Many(Whole(0, 1 << 31))
_shape = Many(Whole(), 0, AXES)
_BODY: Mapping[str, Kind] = MappingProxyType({
    "format": Whole(), "precision": Word(PRECISIONS), "tensors": Many(_Anything()), "inputs": _numbers, "shapes": _numbers, "outputs": _numbers,
    "parameters": Many(_Anything()), "operators": Many(_Anything())})
_TENSOR: Mapping[str, Kind] = MappingProxyType({"name": Word(), "shape": _shape, "quantization": _Anything()})
_PARAMETER: Mapping[str, Kind] = MappingProxyType({**_TENSOR, "constant": Whole()})
_OPERATOR: Mapping[str, Kind] = MappingProxyType({"operator": Word(), "name": Word(), "fields": _Anything(), "inputs": _numbers, "outputs": _numbers,
                                                  "parameters": _numbers})


_ORDERS = (DimOrder.NCHW, DimOrder.NHWC)


class ReadProgram(NamedTuple):
    """A program as a graph.

    Attributes
    ----------
    graph : Graph
        Its inputs are those of the program, then those of which only the shape is read.
    outputs : list of Tensor
    precision : str
    """

    graph: Graph
    outputs: list[Tensor]
    precision: str


class _Node(NamedTuple):
    """An operator that fits its tensors."""

    op: Operator
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: tuple[int, ...]


class _Refusal(Exception):
    """What is not known here, as opposed to what is wrong."""


def read_program(program: Program) -> ReadProgram:
    """Check a program in full, then build its graph with parameters of its own.

    Parameters
    ----------
    program : Program

    Returns
    -------
    ReadProgram

    Raises
    ------
    CnrtError
        UNSUPPORTED for a format, an operator or a quantization that is not known here, INVALID for a program that contradicts itself.
    """
    try:
        return _Reader(program).read()
    except _Refusal as e:
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to load function '{program.name}': {e}") from None
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, CnmlError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load function '{program.name}': its program {_sentence(e)}") from e


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if text.startswith(("is ", "must ", "has ")) else f"contradicts itself: {text}"


class _Reader:
    """One program on its way to a graph."""

    def __init__(self, program: Program):
        self.program = program
        body = dict(program.body)
        if body.get("format") != FORMAT:
            raise _Refusal(f"its program has the format {body.get('format')!r}; this version reads {FORMAT}. Make the file again with this version")
        self.body = decode_table(_BODY, body)
        self.tensors = [decode_table(_TENSOR, t) for t in self.body["tensors"]]
        self.parameters = [decode_table(_PARAMETER, p) for p in self.body["parameters"]]
        for row in (*self.tensors, *self.parameters):
            if row["quantization"] is not None:
                raise _Refusal(f"'{row['name']}' is quantized ({row['quantization']!r:.60}); this version has no kernels for that")

    def read(self) -> ReadProgram:
        """All checks, then the graph."""
        self._check_sizes()
        self._check_parameters()
        nodes = self._check_nodes()
        self._check_descriptors()
        graph, made = Graph(), {}
        for i in (*self.body["inputs"], *self.body["shapes"]):
            made[i] = graph.input(self.tensors[i]["shape"], self.tensors[i]["name"])
        parameters = [self._parameter(row) for row in self.parameters]
        for node in nodes:
            outputs = graph.add(node.op, [made[i] for i in node.inputs], [parameters[i] for i in node.parameters])
            for i, tensor in zip(node.outputs, outputs, strict=True):
                tensor.name = self.tensors[i]["name"]
                made[i] = tensor
        return ReadProgram(graph, [made[i] for i in self.body["outputs"]], self.body["precision"])

    def _check_sizes(self) -> None:
        needed, limit = sum(4 * count(t["shape"]) for t in self.tensors), memory_limit()
        if limit is not None and needed > limit:
            raise CnrtError(RetCode.ERR_NOMEM, f"failed to load function '{self.program.name}': its values need {needed} bytes and the machine has "
                            f"{limit}")

    def _check_parameters(self) -> None:
        for row in self.parameters:
            if row["constant"] >= len(self.program.constants):
                raise ValueError(f"has a parameter '{row['name']}' with constant {row['constant']} of {len(self.program.constants)}")
            array = self.program.constants[row["constant"]]
            if array.dtype not in (np.float32, np.float16) or array.size != count(row["shape"]):
                raise ValueError(f"has a parameter '{row['name']}' of shape {row['shape']} whose constant is {array.shape} {array.dtype}")

    def _parameter(self, row: dict[str, Any]) -> Parameter:
        parameter = Parameter(row["shape"], row["name"])
        parameter.assign(self.program.constants[row["constant"]].reshape(row["shape"]))
        return parameter

    def _check_nodes(self) -> list[_Node]:
        """Every operator with its shapes, in order; nothing is read before it is made, nothing made twice."""
        given = [*self.body["inputs"], *self.body["shapes"]]
        known = set(given)
        if len(known) != len(given):
            raise ValueError("has an input twice")
        self._check_numbers(known)
        nodes = []
        for row in self.body["operators"]:
            node = self._operator(decode_table(_OPERATOR, row), known)
            known.update(node.outputs)
            nodes.append(node)
        unmade = [i for i in self.body["outputs"] if i not in known or i in self.body["shapes"]]
        if unmade or len(known) != len(self.tensors):
            raise ValueError(f"has {len(self.tensors)} tensors and makes {len(known)}, outputs {unmade} not among them")
        return nodes

    def _check_numbers(self, numbers: Any) -> None:
        for i in numbers:
            if i >= len(self.tensors):
                raise ValueError(f"has {len(self.tensors)} tensors and names tensor {i}")

    def _operator(self, row: dict[str, Any], known: set[int]) -> _Node:
        what = f"{row['operator']} '{row['name']}'"
        form = OPERATORS.get(row["operator"])
        if form is None:
            raise _Refusal(f"its program has {what}, an operator that this version does not know")
        try:
            node = _Node(form.decode(row["name"], row["fields"]), row["inputs"], row["outputs"], row["parameters"])
            self._check_wiring(node, known)
            inputs, parameters = ([rows[i]["shape"] for i in numbers] for rows, numbers in ((self.tensors, node.inputs),
                                                                                             (self.parameters, node.parameters)))
            form.check(node.op, inputs, parameters)
            given: list[Shape] = [tuple(s) for s in node.op.reshape(inputs, parameters)]
            stated = [self.tensors[i]["shape"] for i in node.outputs]
            if given != stated:
                raise ValueError(f"gives {given} where the program says {stated}")
        except (ValueError, TypeError, ArithmeticError, LookupError) as e:
            raise ValueError(f"{what} {e}") from e
        tensors = [[Tensor(self.tensors[i]["shape"], "") for i in numbers] for numbers in (node.inputs, node.outputs)]
        reason = host_reason(Node.of(node.op, tensors[0], [Parameter((0,))] * len(parameters), tensors[1]))
        if reason:
            raise _Refusal(f"its program has {what}, which runs on the host: {reason}")
        return node

    def _check_wiring(self, node: _Node, known: set[int]) -> None:
        self._check_numbers(node.outputs)
        if not known.issuperset(node.inputs) or not known.isdisjoint(node.outputs) or len(set(node.outputs)) != len(node.outputs):
            raise ValueError("reads what is not there yet, or makes what is there already")
        if not isinstance(node.op, PriorBox) and not set(self.body["shapes"]).isdisjoint(node.inputs):
            raise ValueError("reads values of which the program has only the shape")
        if any(i >= len(self.parameters) for i in node.parameters):
            raise ValueError(f"names parameters {node.parameters} of {len(self.parameters)}")

    def _check_descriptors(self) -> None:
        p = self.program
        for what, numbers, specs in (("inputs", self.body["inputs"], p.inputs), ("outputs", self.body["outputs"], p.outputs)):
            shapes = [self.tensors[i]["shape"] for i in numbers]
            fits = len(shapes) == len(specs) and all(t.order in _ORDERS and describe(t.name, s, t.order) == t
                                                     for s, t in zip(shapes, specs, strict=True))
            if not fits:
                raise ValueError(f"has {what} of shapes {shapes} and the descriptors {specs}; they must be float32 of the same extents, in the order "
                                 "NCHW or, with four axes, NHWC")

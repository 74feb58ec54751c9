"""Operators → what they cost a card, as the runtime's event model wants it: numbers that do not depend on this machine or its kernels."""
from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.ops.by_image import ByImage
from cnml.ops.convolution import Convolution
from cnml.ops.convolution_int8 import ConvolutionInt8
from cnml.ops.inner_product import InnerProduct
from cnml.ops.pool import Pool
from cnml.ops.separable import SeparableConvolution
from cnml.parameter import Parameter
from cnml.passes import PASSES, run_passes, switched_off
from cnml.tensor import Shape, Tensor
from cnrt.cost import Cost

#: passes that join operators for the sake of this machine's caches
HOST_PASSES = frozenset({"fuse_separable", "by_image"})
#: operators that a card does as part of its neighbours: conversions of type and layout, and names for the same bytes
_FREE = frozenset({"Quantize", "Dequantize", "ConvertLayout", "RoundHalf", "View"})
#: operations on an element of the output; one that is not here has `_PLAIN`. The counts of the roofline that users of the card worked with.
_OPS = {"Softmax": 4, "LogSoftmax": 4, "BatchNorm": 8, "Normalize": 8, "MVN": 8, "Concat": 0, "ConcatInt8": 0, "Permute": 0, "ShuffleChannel": 0,
        "Slice": 0, "Crop": 0, "Pad": 0, "Tile": 0, "Reverse": 0, "StridedSlice": 0}
_PLAIN = 2
_ITEM = {"float32": 4, "float16": 2, "int8": 1}
_HALF = ("fp16", "mlu")


def node_costs(node: Node, precision: str, every_int8: bool = False) -> tuple[Cost, ...]:
    """What a node of a graph costs.

    Parameters
    ----------
    node : Node
        Of a graph behind the passes; of one that several operators were joined to, each has a cost of its own.
    precision : str
        See `cnml.executable.Executable`.
    every_int8 : bool
        Count convolutions and inner products as INT8 whether or not they say how, for nets that nobody quantized.

    Returns
    -------
    tuple of Cost
        Empty for what a card does as part of something else.
    """
    if node.op.view or node.op.kind in _FREE:
        return ()
    item = _value_item(node, precision, every_int8)
    return tuple(_cost(op, inputs, outputs, parameters, _dtype(op, precision, every_int8), item) for op, inputs, outputs, parameters in _parts(node))


def graph_costs(graph: Graph, retained: Iterable[Tensor], precision: str = "fp16", every_int8: bool = False, fusion: bool = True) -> tuple[Cost, ...]:
    """What a graph costs when a card runs it as one function: layers are fused, nothing is computed or compiled.

    Parameters
    ----------
    graph : Graph
        As the layers made it.
    retained : iterable of Tensor
        Its results.
    precision, every_int8 :
        See `node_costs`. Layers that say how they compute in INT8 do so in "int8" and "mlu".
    fusion : bool
        False keeps every layer apart.
    """
    fused = run_passes(graph, set(retained), switched_off() | (HOST_PASSES if fusion else frozenset(PASSES)))
    return tuple(c for node in fused.nodes for c in node_costs(node, precision, every_int8))


def _parts(node: Node) -> list[tuple[Operator, list[Shape], list[Shape], list[Parameter]]]:
    """The operators that a node stands for, with shapes of inputs and outputs, and parameters."""
    op, shapes = node.op, [t.shape for t in node.inputs]
    outputs, parameters = [t.shape for t in node.outputs], node.parameters
    if isinstance(op, ByImage):
        every, found, at = [*shapes], [], 0
        for step in op.steps:
            every.append((shapes[0][0], *step.shape))
            found.append((step.op, [every[j] for j in step.inputs], every[-1:], parameters[at:at + step.parameters]))
            at += step.parameters
        return found
    if isinstance(op, SeparableConvolution):
        between = op.depthwise.reshape(shapes[:1], [p.shape for p in parameters[:op.count]])
        return [(op.depthwise, shapes[:1], between, parameters[:op.count]),
                (op.pointwise, [*between, *shapes[1:]], outputs, parameters[op.count:])]
    return [(op, shapes, outputs, parameters)]


def _cost(op: Operator, inputs: list[Shape], outputs: list[Shape], parameters: list[Parameter], dtype: str, item: int) -> Cost:
    macs = op.macs(inputs, outputs)
    inner, outer = _extents(op, inputs, outputs) if macs else (1, 1)
    elements = sum(prod(s) for s in outputs)
    weights = _ITEM[dtype] * sum(prod(p.shape) for p in parameters)
    return Cost(op.name, dtype, macs, inner, outer, 0 if macs else elements * _ops(op, inputs), weights, item * sum(prod(s) for s in inputs),
                item * elements, outputs[0][0] if outputs and outputs[0] else 1, _density(op, parameters))


def _density(op: Operator, parameters: list[Parameter]) -> float:
    """Share of the weights that are not zero, where the net asks for sparse kernels; the card uses them nowhere else."""
    source = op.source if isinstance(op, ConvolutionInt8) else op
    if not getattr(source, "sparse", False) or not parameters:
        return 1.0
    size = max(1, parameters[0].array.size)
    zeros: int = parameters[0].packed("zeros", lambda w: int(w.size - np.count_nonzero(w)))
    return 1.0 - zeros / size


def _dtype(op: Operator, precision: str, every_int8: bool) -> str:
    coded = isinstance(op, ConvolutionInt8) or precision in ("int8", "mlu") and getattr(op, "int8", None) is not None
    if coded or every_int8 and isinstance(op, (Convolution, InnerProduct)):
        return "int8"
    return "float16" if precision in _HALF or every_int8 else "float32"


def _value_item(node: Node, precision: str, every_int8: bool) -> int:
    """Bytes of a value: the card keeps halves between layers, unless they are codes."""
    if any(t.codes is not None for t in node.outputs):
        return 1
    return 2 if precision in _HALF or every_int8 else 4


def _extents(op: Operator, inputs: list[Shape], outputs: list[Shape]) -> tuple[int, int]:
    """Terms of one sum, and how many sums read the same inputs."""
    source = op.source if isinstance(op, ConvolutionInt8) else op
    if isinstance(source, Convolution):
        g = source.geometry
        return prod(g.kernel) * inputs[0][g.axis] // g.group, g.num_output // g.group
    elements = max(1, prod(outputs[0]))
    outer = outputs[0][1] if len(outputs[0]) > 1 else 1
    return max(1, op.macs(inputs, outputs) // elements), outer


def _ops(op: Operator, inputs: list[Shape]) -> int:
    """Operations on an element of the output."""
    if isinstance(op, Pool) or op.kind == "PoolInt8":
        kernel = getattr(getattr(op, "source", op), "kernel", None)
        return prod(kernel) if kernel is not None else prod(inputs[0][2:])
    if op.kind == "Lrn":
        return 2 * int(getattr(op, "size", 5)) + 8
    return _OPS.get(op.kind, _PLAIN)

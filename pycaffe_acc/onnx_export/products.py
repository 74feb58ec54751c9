"""Matrix products and rows of tables."""
from __future__ import annotations

from math import prod

import numpy as np

from cnml.ops.inner_product import InnerProduct
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.selections import index_range


def inner_product(g: OnnxGraph, s: Step) -> list[str]:
    """Gemm on the bottom as a matrix."""
    op = s.op
    assert isinstance(op, InnerProduct)
    weights = [g.weight(s.parameters[0])]
    if op.bias:
        weights.append(g.weight(s.parameters[1], "" if len(s.parameters[1].shape) == 1 else "/row", lambda v: v.reshape(-1)))
    return [write_product(g, s, op, weights, op.transpose)]


def write_product(g: OnnxGraph, s: Step, op: InnerProduct, weights: list[str], transpose: bool = False) -> str:
    """The Gemm of a step's first input with weights (and bias) that are in the graph."""
    shape, rows, columns = s.shapes[0], prod(s.shapes[0][:op.axis]), prod(s.shapes[0][op.axis:])
    y = g.add("Gemm", g.reshape(s.inputs[0], shape, (rows, columns)), *weights, transB=0 if transpose else 1)
    return g.reshape(y, (rows, op.num_output), s.tops[0])


def embed(g: OnnxGraph, s: Step) -> list[str]:
    """Gather of rows by the truncated index."""
    index_range(g, s.inputs[0], s.parameters[0].shape[0])
    y = g.add("Gather", g.weight(s.parameters[0]), g.add("Cast", s.inputs[0], to=7), axis=0)
    return [g.add("Add", y, g.weight(s.parameters[1])) if s.op.bias else y]  # type: ignore[attr-defined]


def prior_box(g: OnnxGraph, s: Step) -> list[str]:
    """The boxes as a constant: they follow from shapes alone."""
    blanks = [np.broadcast_to(np.float32(0), shape) for shape in s.shapes]
    return [g.constant(s.op.reference(blanks, [])[0])]


def parameter(g: OnnxGraph, s: Step) -> list[str]:
    """The layer's blob."""
    return [g.weight(s.parameters[0])]

"""Sums and products of blobs and of learned factors."""
from __future__ import annotations

import numpy as np

from cnml.parameter import Parameter
from cnml.tensor import Shape, count
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step

OPS = {"add": "Add", "sub": "Sub", "mul": "Mul"}


def _chain(g: OnnxGraph, op: str, values: list[str]) -> str:
    """Two at a time, which runtimes fuse; ONNX's n-ary Sum they seldom do."""
    y = values[0]
    for v in values[1:]:
        y = g.add(op, y, v)
    return y


def eltwise(g: OnnxGraph, s: Step) -> list[str]:
    """Add, Mul or Max; a coefficient of 0 leaves its bottom out."""
    op = s.op
    if op.operation == "MAX":  # type: ignore[attr-defined]
        return [g.add("Max", *s.inputs)]
    if op.operation == "PROD":  # type: ignore[attr-defined]
        return [_chain(g, "Mul", s.inputs)]
    coeff = op.coeff or (1.0,) * len(s.inputs)  # type: ignore[attr-defined]
    terms = [g.scaled(x, c) for x, c in zip(s.inputs, coeff, strict=True) if c != 0]
    return [_chain(g, "Add", terms) if terms else g.constant(np.zeros(s.tops[0]))]


def arithmetic(g: OnnxGraph, s: Step) -> list[str]:
    """Two bottoms of one shape, or of shapes that broadcast as NumPy's."""
    return [g.add(OPS[s.op.function], *s.inputs)]  # type: ignore[attr-defined]


def _per_channel(g: OnnxGraph, v: str, shape: Shape, x: Shape) -> str:
    items = 1 if count(shape) == x[1] else x[0]
    return g.reshape(v, shape, (items, x[1]) + (1,) * (len(x) - 2))


def channel_arithmetic(g: OnnxGraph, s: Step) -> list[str]:
    """Bottom 1 has one value for each channel, or for each channel of each item."""
    return [g.add(OPS[s.op.function], s.inputs[0], _per_channel(g, s.inputs[1], s.shapes[1], s.shapes[0]))]  # type: ignore[attr-defined]


def axpy(g: OnnxGraph, s: Step) -> list[str]:
    """scale * x + y."""
    return [g.add("Add", g.add("Mul", s.inputs[1], _per_channel(g, s.inputs[0], s.shapes[0], s.shapes[1])), s.inputs[2])]


def _factor(g: OnnxGraph, s: Step, which: int) -> str:
    """The factor (a further input, or a parameter) with an axis of 1 for each axis of bottom 0 behind its own."""
    behind = len(s.shapes[0]) - s.op.axis - s.op.num_axes  # type: ignore[attr-defined]
    given = len(s.inputs) - 1
    if which < given:
        shape = s.shapes[1 + which]
        return g.reshape(s.inputs[1 + which], shape, shape + (1,) * behind)
    p: Parameter = s.parameters[which - given]
    return g.weight(p, f"/trailing{behind}" if behind else "", lambda v: v.reshape(v.shape + (1,) * behind))


def scale(g: OnnxGraph, s: Step) -> list[str]:
    """Mul and Add; behind a BatchNorm its scale and shift."""
    op, known = s.op, g.normalizations.get(s.inputs[0])
    if known is not None and not s.inputs[1:] and op.axis == 1 and op.num_axes == 1:  # type: ignore[attr-defined]
        shift = g.weight(s.parameters[1]) if op.bias_term else g.constant(np.zeros(s.shapes[0][1]))  # type: ignore[attr-defined]
        return [g.add("BatchNormalization", known.source, g.weight(s.parameters[0]), shift, known.mean, known.variance, epsilon=known.eps)]
    y = g.add("Mul", s.inputs[0], _factor(g, s, 0))
    return [g.add("Add", y, _factor(g, s, 1)) if op.bias_term else y]  # type: ignore[attr-defined]


def bias(g: OnnxGraph, s: Step) -> list[str]:
    """Add."""
    return [g.add("Add", s.inputs[0], _factor(g, s, 0))]

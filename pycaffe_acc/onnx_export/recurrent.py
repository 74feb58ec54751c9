"""LSTM and RNN, one step after the other: Caffe's `cont` breaks sequences inside a batch, which ONNX's own operators cannot."""
from __future__ import annotations

import numpy as np

from cnml.tensor import Shape
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, StateInput, Step
from pycaffe_acc.onnx_export.selections import index_range


def _unit(g: OnnxGraph, c: str, gates: str, keep: str, cells: int, axis: int) -> tuple[str, str]:
    """c' = keep * s(f) * c + s(i) * tanh(g), h' = s(o) * tanh(c')."""
    i, f, o, candidate = g.add_all("Split", [gates, g.ints(*(cells,) * 4)], 4, axis=axis)
    kept = g.add("Mul", g.add("Mul", g.add("Sigmoid", f), keep), c)
    c = g.add("Add", kept, g.add("Mul", g.add("Sigmoid", i), g.add("Tanh", candidate)))
    return c, g.add("Mul", g.add("Sigmoid", o), g.add("Tanh", c))


def lstm_unit(g: OnnxGraph, s: Step) -> list[str]:
    """One step with given sums of the gates."""
    cells = s.shapes[0][2]
    index_range(g, s.inputs[2], 2)
    keep = g.reshape(s.inputs[2], s.shapes[2], (*s.shapes[2], 1))
    return list(_unit(g, s.inputs[0], s.inputs[1], keep, cells, 2))


def _steps(g: OnnxGraph, x: str, shape: Shape, each: Shape) -> list[str]:
    """The time steps of x, each with the shape `each`."""
    parts = g.add_all("Split", [x, g.ints(*(1,) * shape[0])], shape[0], axis=0) if shape[0] > 1 else [x]
    return [g.add("Reshape", p, g.ints(*each)) for p in parts]


def _states(g: OnnxGraph, s: Step, names: tuple[str, ...], shape: Shape) -> list[str]:
    """The states before the first step: further bottoms, or inputs that are zeros unless fed."""
    if s.op.exposed:  # type: ignore[attr-defined]
        first = 2 + s.op.static  # type: ignore[attr-defined]
        return [g.reshape(v, old, shape) for v, old in zip(s.inputs[first:], s.shapes[first:], strict=True)]
    made = []
    for _ in names:
        made.append(g.value())
        g.arrays[made[-1]] = np.zeros(shape, np.float32)
    return made


def _finish(g: OnnxGraph, s: Step, outputs: list[str], first: list[str], last: list[str], names: tuple[str, ...], shape: Shape) -> list[str]:
    """The top, and the last states as tops or as outputs of their own."""
    rows = [g.add("Reshape", v, g.ints(1, *shape)) for v in outputs]
    top = g.add("Concat", *rows, axis=0) if len(rows) > 1 else rows[0]
    if s.op.exposed:  # type: ignore[attr-defined]
        return [top, *(g.add("Reshape", v, g.ints(1, *shape)) for v in last)]
    for name, a, b in zip(names, first, last, strict=True):
        g.states.append(StateInput(f"{g.layer}/{name}_0", a, shape, f"{g.layer}/{name}_T", b))
    return [top]


def lstm(g: OnnxGraph, s: Step) -> list[str]:
    """All steps; the input's part of the gates is a Gemm in front."""
    (t, n, width), cells = s.shapes[0], s.parameters[0].shape[1]
    index_range(g, s.inputs[1], 2)
    gates = _steps(g, s.inputs[0], s.shapes[0], (n, width))
    keeps = _steps(g, s.inputs[1], s.shapes[1], (n, 1))
    names = ("h", "c")
    first = _states(g, s, names, (n, cells))
    (h, c), outputs, w = first, [], g.weight(s.parameters[0])
    for step in range(t):
        total = g.add("Gemm", g.add("Mul", h, keeps[step]), w, gates[step], transB=1)
        if s.op.static:  # type: ignore[attr-defined]
            total = g.add("Add", total, s.inputs[2])
        c, h = _unit(g, c, total, keeps[step], cells, 1)
        outputs.append(h)
    return _finish(g, s, outputs, first, [h, c], names, (n, cells))


def rnn(g: OnnxGraph, s: Step) -> list[str]:
    """All steps of h' = tanh(W (cont * h) + input), o = tanh(W_o h' + b)."""
    t, n, cells = s.shapes[0]
    index_range(g, s.inputs[1], 2)
    sums = _steps(g, s.inputs[0], s.shapes[0], (n, cells))
    keeps = _steps(g, s.inputs[1], s.shapes[1], (n, 1))
    first = _states(g, s, ("h",), (n, cells))
    h, outputs = first[0], []
    w, w_out, b_out = (g.weight(p) for p in s.parameters[:3])
    for step in range(t):
        total = g.add("Gemm", g.add("Mul", h, keeps[step]), w, sums[step], transB=1)
        if s.op.static:  # type: ignore[attr-defined]
            total = g.add("Add", total, s.inputs[2])
        h = g.add("Tanh", total)
        outputs.append(g.add("Tanh", g.add("Gemm", h, w_out, b_out, transB=1)))
    return _finish(g, s, outputs, first, [h], ("h",), (n, cells))

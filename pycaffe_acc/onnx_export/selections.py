"""Largest values, sums over axes, items of a batch."""
from __future__ import annotations

from math import prod

import numpy as np

from cnml.tensor import Shape
from pycaffe_acc.onnx_export.movements import backwards
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step

REDUCTIONS = {"SUM": "ReduceSum", "ASUM": "ReduceL1", "SUMSQ": "ReduceSumSquare", "MEAN": "ReduceMean"}


def index_range(g: OnnxGraph, value: str, extent: int) -> None:
    """Remember that a value holds indices below `extent`, also at the value it is a reshaping of."""
    while True:
        g.ranges[value] = extent
        maker = next((n for n in g.nodes if value in n.outputs and n.op == "Reshape"), None)
        if maker is None:
            return
        value = maker.inputs[0]


def _largest(g: OnnxGraph, x: str, axis: int, extent: int, k: int) -> tuple[str, str]:
    """Values and float indices of the k largest along an axis; of equal values the larger index comes first."""
    # TopK prefers the smaller index, so it looks at the axis from its end
    values, index = g.add_all("TopK", [backwards(g, x, axis), g.ints(k)], 2, axis=axis, largest=1, sorted=1)
    return values, g.add("Cast", g.add("Sub", g.constant(np.int64(extent - 1), np.int64), index), to=1)


def arg_max(g: OnnxGraph, s: Step) -> list[str]:
    """ArgMax for a single index, TopK else."""
    op, x, shape = s.op, s.inputs[0], s.shapes[0]
    k, values, axis = op.k, op.values, op.axis  # type: ignore[attr-defined]
    flat: Shape = shape
    if axis is None:
        flat = (shape[0], prod(shape[1:]))
        x = g.reshape(x, shape, flat)
    along = 1 if axis is None else axis
    if k == 1 and not values:
        y = g.add("Cast", g.add("ArgMax", x, axis=along, keepdims=1, select_last_index=1), to=1)
    else:
        best, index = _largest(g, x, along, flat[along], k)
        if axis is None and values:
            y = g.add("Concat", g.reshape(index, (shape[0], k), (shape[0], 1, k)), g.reshape(best, (shape[0], k), (shape[0], 1, k)), axis=1)
        else:
            y = best if values else index
    made = s.tops[0] if axis is not None else (shape[0], 2, k) if values else (shape[0], k)
    return [g.reshape(y, made, s.tops[0])]


def reduction(g: OnnxGraph, s: Step) -> list[str]:
    """ReduceSum, ReduceL1, ReduceSumSquare or ReduceMean over the axes from one on."""
    op = s.op
    axes = range(op.axis, len(s.shapes[0]))  # type: ignore[attr-defined]
    return [g.scaled(g.reduce(REDUCTIONS[op.operation], s.inputs[0], axes, False), op.coeff)]  # type: ignore[attr-defined]


def batch_reindex(g: OnnxGraph, s: Step) -> list[str]:
    """Gather of items; an index outside the batch is an error there and here."""
    index_range(g, s.inputs[1], s.shapes[0][0])
    return [g.add("Gather", s.inputs[0], g.add("Cast", s.inputs[1], to=7), axis=0)]

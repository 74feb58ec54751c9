"""BatchNorm and its relatives, LRN, MVN, Normalize."""
from __future__ import annotations

import numpy as np

from cnml.reference.batch_norm import stored_statistics
from pycaffe_acc.onnx_export.onnx_graph import Normalization, OnnxGraph, Step
from pycaffe_acc.onnx_export.pooling import mean
from pycaffe_acc.onnx_export.windows import Windows


def batch_norm(g: OnnxGraph, s: Step) -> list[str]:
    """BatchNormalization with the stored statistics; the batch's own written out."""
    op, x = s.op, s.inputs[0]
    if not op.use_global_stats:  # type: ignore[attr-defined]
        axes = (0, *range(2, len(s.shapes[0])))
        centred = g.add("Sub", x, g.reduce("ReduceMean", x, axes, True))
        variance = g.reduce("ReduceMean", g.add("Mul", centred, centred), axes, True)
        return [g.add("Div", centred, g.add("Sqrt", g.shifted(variance, op.eps)))]  # type: ignore[attr-defined]
    first, second, factor = s.parameters[:3]
    average, variance = (g.weight(p, form, lambda v: stored_statistics(v, v, factor.array)[0], [factor])
                      for p, form in ((first, "/mean"), (second, "/variance")))
    channels = s.shapes[0][1]
    y = g.add("BatchNormalization", x, g.constant(np.ones(channels)), g.constant(np.zeros(channels)), average, variance,
              epsilon=op.eps)  # type: ignore[attr-defined]
    g.normalizations[y] = Normalization(x, average, variance, op.eps)  # type: ignore[attr-defined]
    return [y]


def channel_affine(g: OnnxGraph, s: Step) -> list[str]:
    """Slope and bias, with mean and variance a BatchNormalization."""
    if len(s.parameters) == 4:
        rows = [g.weight(p, "/row", lambda v: v.reshape(-1)) for p in s.parameters]
        return [g.add("BatchNormalization", s.inputs[0], *rows, epsilon=s.op.eps)]  # type: ignore[attr-defined]
    slope, bias = (g.column(p, len(s.shapes[0])) for p in s.parameters)
    return [g.add("Add", g.add("Mul", s.inputs[0], slope), bias)]


def batch_affine(g: OnnxGraph, s: Step) -> list[str]:
    """SegNet's BN in mode LEARN: the batch's statistics, eps beside the root."""
    x, ndim = s.inputs[0], len(s.shapes[0])
    axes = (0, *range(2, ndim))
    centred = g.add("Sub", x, g.reduce("ReduceMean", x, axes, True))
    variance = g.reduce("ReduceMean", g.add("Mul", centred, centred), axes, True)
    y = g.add("Div", centred, g.shifted(g.add("Sqrt", variance), s.op.eps))  # type: ignore[attr-defined]
    slope, bias = (g.column(p, ndim) for p in s.parameters)
    return [g.add("Add", g.add("Mul", y, slope), bias)]


def lrn(g: OnnxGraph, s: Step) -> list[str]:
    """LRN across channels; within a channel through the mean of the squares."""
    op, x = s.op, s.inputs[0]
    alpha, beta, size = op.alpha, op.beta, op.size  # type: ignore[attr-defined]
    if op.region == "ACROSS_CHANNELS":  # type: ignore[attr-defined]
        return [g.add("LRN", x, alpha=alpha, beta=beta, bias=op.k, size=size)]  # type: ignore[attr-defined]
    extent = s.shapes[0][2:]
    squares = mean(g, g.add("Mul", x, x), Windows(extent, extent, (size, size), (1, 1), ((size - 1) // 2,) * 2))
    root = g.add("Pow", g.shifted(g.scaled(squares, alpha), 1.0), g.constant(np.float32(-beta)))
    return [g.add("Mul", x, root)]


def mvn(g: OnnxGraph, s: Step) -> list[str]:
    """Mean taken away, and with normalize_variance divided by the deviation plus eps."""
    op, x = s.op, s.inputs[0]
    axes = tuple(range(1 if op.across_channels else 2, len(s.shapes[0])))  # type: ignore[attr-defined]
    centred = g.add("Sub", x, g.reduce("ReduceMean", x, axes, True))
    if not op.normalize_variance:  # type: ignore[attr-defined]
        return [centred]
    variance = g.reduce("ReduceMean", g.add("Mul", centred, centred), axes, True)
    return [g.add("Div", centred, g.shifted(g.add("Sqrt", variance), op.eps))]  # type: ignore[attr-defined]


def normalize(g: OnnxGraph, s: Step) -> list[str]:
    """scale * x / sqrt(sum of squares + eps)."""
    op, x = s.op, s.inputs[0]
    ndim = len(s.shapes[0])
    axes = tuple(range(1, ndim)) if op.across_spatial else (1,)  # type: ignore[attr-defined]
    total = g.reduce("ReduceSum", g.add("Mul", x, x), axes, True)
    y = g.add("Div", x, g.add("Sqrt", g.shifted(total, op.eps)))  # type: ignore[attr-defined]
    return [g.add("Mul", y, g.column(s.parameters[0], ndim))]

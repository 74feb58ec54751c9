"""Images in another size."""
from __future__ import annotations

from math import prod

import numpy as np

from cnml.ops.interp import Interp
from cnml.reference.resample import Taps
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.refusal import Refusal


def interp(g: OnnxGraph, s: Step) -> list[str]:
    """Slice for negative padding, then a linear Resize."""
    assert isinstance(s.op, Interp)
    o, shape, top = s.op.options, s.shapes[0], s.tops[0]
    cut = o.pad_begin + o.pad_end
    inner = (*shape[:2], shape[2] + cut, shape[3] + cut)
    x = g.cut(s.inputs[0], shape, (0, 0, -o.pad_begin, -o.pad_begin), inner)
    if inner == top:
        return [x]
    mode = "align_corners" if s.op.align_corners else "half_pixel"
    return [g.add("Resize", x, "", "", g.ints(*top), mode="linear", coordinate_transformation_mode=mode)]


def _whole_factor(taps: Taps, size: int) -> int:
    """By which whole number an axis grows, 0 when it does not."""
    out = len(taps.count)
    factor = out // size
    return factor if (taps.count == 1).all() and np.array_equal(taps.index[:, 0], np.arange(out) // max(factor, 1)) else 0


def nearest(g: OnnxGraph, s: Step) -> list[str]:
    """Resize by whole factors; else a Gather of rows and of columns."""
    taps = s.op.taps(s.shapes[0])  # type: ignore[attr-defined]
    factors = [_whole_factor(t, n) for t, n in zip(taps, s.shapes[0][2:], strict=True)]
    if all(factors):
        if factors == [1, 1]:
            return list(s.inputs)
        scales = g.constant(np.array([1, 1, *factors], np.float32))
        return [g.add("Resize", s.inputs[0], "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")]
    x = s.inputs[0]
    for axis, t, factor in zip((2, 3), taps, factors, strict=True):
        if factor != 1:
            x = g.add("Gather", x, g.constant(t.index[:, 0], np.int64), axis=axis)
    return [x]


def _matrix(taps: Taps, size: int) -> np.ndarray:
    """(out, in) weights."""
    m = np.zeros((len(taps.count), size), np.float32)
    for i, used in enumerate(taps.count):
        np.add.at(m[i], taps.index[i, :used], taps.weight[i, :used])
    return m


def unpooling(g: OnnxGraph, s: Step) -> list[str]:
    """Rows times image times columns."""
    rows, columns = s.op.taps(s.shapes[0])  # type: ignore[attr-defined]
    y = g.add("MatMul", s.inputs[0], g.constant(_matrix(columns, s.shapes[0][3]).T))
    return [g.add("MatMul", g.constant(_matrix(rows, s.shapes[0][2])), y)]


def upsample_mask(g: OnnxGraph, s: Step) -> list[str]:
    """ScatterElements of each channel into zeros, where the mask is known to name no place twice."""
    n, c, height, width = s.tops[0]
    known = g.mask_sizes.get(s.inputs[1])
    if known is None:
        raise Refusal("its mask does not come straight from a max pooling, so that it could name a place twice; of two values for one place "
                      "Caffe keeps the later one, ONNX any")
    size, apart = known
    if not apart:
        raise Refusal("its mask comes from a max pooling whose windows overlap, so that it can name a place twice; of two values for one place "
                      "Caffe keeps the later one, ONNX any")
    if prod(size) > height * width:
        raise Refusal(f"its mask comes from images of {size[0]} x {size[1]}, and places outside its top of {height} x {width} are dropped in Caffe "
                      "and an error in ONNX")
    flat = (n, c, prod(s.shapes[0][2:]))
    values = g.reshape(s.inputs[0], s.shapes[0], flat)
    places = g.add("Cast", g.reshape(s.inputs[1], s.shapes[1], flat), to=7)
    y = g.add("ScatterElements", g.constant(np.zeros((n, c, height * width))), places, values, axis=2)
    return [g.reshape(y, (n, c, height * width), s.tops[0])]

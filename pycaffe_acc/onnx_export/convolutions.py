"""Convolution, its transpose, its columns."""
from __future__ import annotations

from math import prod

import numpy as np

from cnml.ops.convolution import ConvolutionGeometry
from cnml.tensor import Shape
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.refusal import Refusal

MAX_SPATIAL = 3


def _image(shape: Shape, axis: int) -> Shape:
    """The shape with all axes in front of the channels as one, and at least one spatial axis."""
    return (prod(shape[:axis]), *(shape[axis:] if len(shape) - axis > 1 else (*shape[axis:], 1)))


def _weights(g: OnnxGraph, s: Step, bias: bool) -> list[str]:
    """Weights, with a spatial axis where there is none, and the bias."""
    w = s.parameters[0]
    flat = len(w.shape) == 2
    names = [g.weight(w, "/1", lambda v: v[..., None]) if flat else g.weight(w)]
    if bias:
        names.append(g.weight(s.parameters[1], "" if len(s.parameters[1].shape) == 1 else "/row", lambda v: v.reshape(-1)))
    return names


def _check(g: ConvolutionGeometry) -> None:
    if len(g.kernel) > MAX_SPATIAL:
        raise Refusal(f"its kernel {g.kernel} has {len(g.kernel)} axes, and runtimes of ONNX convolve over at most {MAX_SPATIAL}")


def _attributes(geometry: ConvolutionGeometry, before: Shape, after: Shape) -> dict[str, object]:
    some = geometry.kernel or (1,)
    ones = (1,) * len(some)
    return {"kernel_shape": list(some), "strides": list(geometry.stride or ones), "dilations": list(geometry.dilation or ones),
            "pads": [*(before or (0,)), *(after or (0,))], "group": geometry.group}


def convolution(g: OnnxGraph, s: Step) -> list[str]:
    """Conv; a Pad of zeros in front becomes its pads, and a kernel greater than the padded image gets the zeros it reaches."""
    geo: ConvolutionGeometry = s.op.geometry  # type: ignore[attr-defined]
    return [write_convolution(g, s, geo, _weights(g, s, geo.bias))]


def write_convolution(g: OnnxGraph, s: Step, geo: ConvolutionGeometry, weights: list[str]) -> str:
    """The Conv of a step's first input with weights (and bias) that are in the graph."""
    _check(geo)
    x, shape = s.inputs[0], s.shapes[0]
    before, after = geo.pad, geo.pad_end
    known = g.paddings.get(x)
    if known is not None and known.value == 0 and geo.axis == 1 and not any(known.before[:2]) and not any(known.after[:2]):
        x = known.source
        shape = tuple(n - p - q for n, p, q in zip(shape, known.before, known.after, strict=True))
        before = tuple(p + q for p, q in zip(before, known.before[2:], strict=True))
        after = tuple(p + q for p, q in zip(after, known.after[2:], strict=True))
    reach = ((o - 1) * st + d * (k - 1) + 1 - n - p
             for o, st, d, k, n, p in zip(s.tops[0][geo.axis + 1:], geo.stride, geo.dilation, geo.kernel, shape[geo.axis + 1:], before, strict=True))
    after = tuple(max(a, r) for a, r in zip(after, reach, strict=True))
    x = g.reshape(x, shape, _image(shape, geo.axis))
    y = g.add("Conv", x, *weights, **_attributes(geo, before, after))
    return g.reshape(y, _image(s.tops[0], geo.axis), s.tops[0])


def deconvolution(g: OnnxGraph, s: Step) -> list[str]:
    """ConvTranspose, whose weights are laid out as Caffe's."""
    geo: ConvolutionGeometry = s.op.geometry  # type: ignore[attr-defined]
    _check(geo)
    x = g.reshape(s.inputs[0], s.shapes[0], _image(s.shapes[0], geo.axis))
    # Caffe cuts the same from both ends, whatever pad_end says
    y = g.add("ConvTranspose", x, *_weights(g, s, geo.bias), **_attributes(geo, geo.pad, geo.pad))
    return [g.reshape(y, _image(s.tops[0], geo.axis), s.tops[0])]


def convolution3d(g: OnnxGraph, s: Step) -> list[str]:
    """Conv over length, height and width."""
    w = s.op.window  # type: ignore[attr-defined]
    y = g.add("Conv", s.inputs[0], *_weights(g, s, len(s.parameters) > 1), kernel_shape=list(w.kernel), strides=list(w.stride),
              pads=[*w.pad, *w.pad])
    return [y]


def im2col(g: OnnxGraph, s: Step) -> list[str]:
    """A Gather of each window's elements from the padded, flattened image."""
    op, shape, top = s.op, s.shapes[0], s.tops[0]
    axis, kernel, pad = op.axis, op.kernel, op.pad  # type: ignore[attr-defined]
    lead = (0,) * (axis + 1)
    x = g.pad(s.inputs[0], (*lead, *pad), (*lead, *pad), 0.0)
    padded = tuple(n + 2 * p for n, p in zip(shape[axis + 1:], pad, strict=True))
    x = g.reshape(x, (*shape[:axis + 1], *padded), (*shape[:axis + 1], prod(padded)))
    spatial = len(kernel)
    index = np.zeros((*kernel, *top[axis + 1:]), np.int64)
    for a in range(spatial):
        at = op.dilation[a] * np.arange(kernel[a])[:, None] + op.stride[a] * np.arange(top[axis + 1 + a])  # type: ignore[attr-defined]
        form = [1] * (2 * spatial)
        form[a], form[spatial + a] = at.shape
        index += at.reshape(form) * prod(padded[a + 1:])
    flat = index.reshape(-1)
    y = g.add("Gather", x, g.constant(flat, np.int64), axis=axis + 1)
    return [g.reshape(y, (*shape[:axis + 1], flat.size), top)]

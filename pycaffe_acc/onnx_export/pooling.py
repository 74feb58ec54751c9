"""Pooling with Caffe's windows: rounded up, clipped at the padded image, means over the padded extent."""
from __future__ import annotations

from math import prod

import numpy as np

from cnml.reference.pool import LOWEST
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Padding, Step
from pycaffe_acc.onnx_export.refusal import Refusal
from pycaffe_acc.onnx_export.windows import Windows


def _explicit(g: OnnxGraph, x: str, w: Windows, value: float) -> tuple[str, list[int]]:
    """The padded input, or the pads for the node."""
    if w.fits():
        return x, [*w.pad, *w.after()]
    return g.pad(x, (0, 0, *w.pad), (0, 0, *w.after()), value), [0] * (2 * len(w.size))


def _padding_in_front(g: OnnxGraph, x: str, w: Windows, value: float) -> Padding | None:
    """The Pad node in front, if a pooling node can do its work: less than a kernel on each side, no window without the image, none beyond the end."""
    known = g.paddings.get(x)
    if known is None or known.value != value or any((*w.pad, *w.after(), *known.before[:2], *known.after[:2])):
        return None
    for n, o, k, s, b, a in zip(w.size, w.out, w.kernel, w.stride, known.before[2:], known.after[2:], strict=True):
        if b >= k or a >= k or (o - 1) * s - b >= n - b - a:
            return None
    return known


def _maximum(g: OnnxGraph, x: str, w: Windows, outputs: int = 1) -> list[str]:
    known = _padding_in_front(g, x, w, LOWEST)
    if known is not None:
        return g.add_all("MaxPool", [known.source], outputs, kernel_shape=list(w.kernel), strides=list(w.stride),
                         pads=[*known.before[2:], *known.after[2:]])
    if outputs > 1 and not w.fits():
        raise Refusal("it records positions, and some of its windows lie outside the image or reach beyond it by more than a kernel")
    x, pads = _explicit(g, x, w, LOWEST)
    return g.add_all("MaxPool", [x], outputs, kernel_shape=list(w.kernel), strides=list(w.stride), pads=pads)


def mean(g: OnnxGraph, x: str, w: Windows) -> str:
    """AveragePool with Caffe's divisor: the window's part of the padded image."""
    geometry = {"kernel_shape": list(w.kernel), "strides": list(w.stride)}
    if w.fits() and not any(w.pad):  # the divisor is what lies inside the image
        y = g.add("AveragePool", x, pads=[*w.pad, *w.after()], count_include_pad=0, **geometry)
        known = _padding_in_front(g, x, w, 0.0)
        if known is not None:
            g.padded_means[y] = (known, w)
        return y
    x, pads = _explicit(g, x, w, 0.0)
    y = g.add("AveragePool", x, pads=pads, count_include_pad=1, **geometry)
    extents = w.extents()
    if all((e == k).all() for e, k in zip(extents, w.kernel, strict=True)):
        return y
    divisor = np.ones(w.out)
    for a, e in enumerate(extents):
        divisor = divisor * e.reshape((-1,) + (1,) * (len(w.out) - a - 1))
    with np.errstate(divide="ignore"):
        factor = prod(w.kernel) / divisor
    return g.add("Mul", y, g.constant(factor[None, None]))


def pool(g: OnnxGraph, s: Step) -> list[str]:
    """MaxPool or AveragePool with pads that give exactly Caffe's windows; the global ones where the window is the image."""
    op, size = s.op, s.shapes[0][2:]
    if op.method == "STOCHASTIC":  # type: ignore[attr-defined]
        raise Refusal("STOCHASTIC pooling has no ONNX operator")
    kernel = op.kernel or size  # type: ignore[attr-defined]
    w = Windows(size, s.tops[0][2:], kernel, op.stride, op.pad)  # type: ignore[attr-defined]
    whole = kernel == size and w.out == (1, 1) and not any(w.pad)
    if op.method == "AVE":  # type: ignore[attr-defined]
        return [g.add("GlobalAveragePool", *s.inputs) if whole else mean(g, s.inputs[0], w)]
    if not op.mask:  # type: ignore[attr-defined]
        return [g.add("GlobalMaxPool", *s.inputs)] if whole else _maximum(g, s.inputs[0], w)
    values, index = _maximum(g, s.inputs[0], w, 2)
    # ONNX counts positions through the whole tensor, Caffe through one channel
    mask = g.add("Cast", g.add("Mod", index, g.constant(np.int64(prod(size)), np.int64)), to=1)
    g.mask_sizes[mask] = (size, all(st >= k for st, k in zip(w.stride, w.kernel, strict=True)))  # type: ignore[assignment]
    return [values, mask]


def pooling3d(g: OnnxGraph, s: Step) -> list[str]:
    """The same over length, height and width."""
    v = s.op.window  # type: ignore[attr-defined]
    w = Windows(s.shapes[0][2:], s.tops[0][2:], v.kernel, v.stride, v.pad)
    return [mean(g, s.inputs[0], w)] if s.op.method == "AVE" else _maximum(g, s.inputs[0], w)  # type: ignore[attr-defined]


def position_scale(g: OnnxGraph, s: Step) -> list[str]:
    """A factor for each position: the divisor of means that leave the padding out, which AveragePool can do itself."""
    padded = g.padded_means.get(s.inputs[0])
    if padded is not None and _leaves_padding_out(*padded, s.op.factors):  # type: ignore[attr-defined]
        known, w = padded
        return [g.add("AveragePool", known.source, kernel_shape=list(w.kernel), strides=list(w.stride), count_include_pad=0,
                      pads=[*known.before[2:], *known.after[2:]])]
    return [g.add("Mul", s.inputs[0], g.constant(s.op.factors[None, None]))]  # type: ignore[attr-defined]


def _leaves_padding_out(known: Padding, w: Windows, factors: np.ndarray) -> bool:
    """Whether the factors turn means over whole windows into means over what of them lies in the image."""
    expected = np.ones(())
    for n, o, k, st, b, a in zip(w.size, w.out, w.kernel, w.stride, known.before[2:], known.after[2:], strict=True):
        start = np.arange(o) * st - b
        inside = np.minimum(start + k, n - b - a) - np.maximum(start, 0)
        expected = np.multiply.outer(expected, k / inside)
    return bool(np.allclose(factors, expected, rtol=1e-6, atol=0))

"""Pooling with Caffe's windows: rounded up, clipped at the padded image, means over the padded extent."""
from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from cnml.reference.pool import LOWEST, windows
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.refusal import Refusal


@dataclass(frozen=True)
class Windows:
    """The windows of a pooling over any number of axes.

    Attributes
    ----------
    size, out, kernel, stride, pad : tuple of int
        One entry for each spatial axis; the padding lies on both sides.
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]

    def after(self) -> tuple[int, ...]:
        """Padding behind the image that makes the last window end there; with it no rounding is left to do."""
        return tuple(max(0, (o - 1) * s + k - n - p)
                     for n, o, k, s, p in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True))

    def outside(self) -> bool:
        """Whether some window lies wholly outside the image."""
        return any(last <= first for axis in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True)
                   for first, last, _ in windows(*axis))

    def extents(self) -> list[np.ndarray]:
        """For each axis, what every window's mean is divided by."""
        return [np.array([e for _, _, e in windows(*axis)], np.float64)
                for axis in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True)]

    def fits(self) -> bool:
        """Whether a pooling node may pad so: less than its kernel on each side, and each window reads something of the image."""
        return not self.outside() and all(a < k for a, k in zip(self.after(), self.kernel, strict=True))


def _explicit(g: OnnxGraph, x: str, w: Windows, value: float) -> tuple[str, list[int]]:
    """The padded input, or the pads for the node."""
    if w.fits():
        return x, [*w.pad, *w.after()]
    return g.pad(x, (0, 0, *w.pad), (0, 0, *w.after()), value), [0] * (2 * len(w.size))


def _maximum(g: OnnxGraph, x: str, w: Windows, outputs: int = 1) -> list[str]:
    known = g.paddings.get(x)
    if known is not None and known.value == LOWEST and not any(w.pad) and known.before == known.after and not any(known.before[:2]):
        inner = Windows(tuple(n - 2 * p for n, p in zip(w.size, known.before[2:], strict=True)), w.out, w.kernel, w.stride, known.before[2:])
        if inner.fits() and all(p < k for p, k in zip(inner.pad, inner.kernel, strict=True)):
            x, w = known.source, inner
    if outputs > 1 and not w.fits():
        raise Refusal("it records positions, and some of its windows lie outside the image or reach beyond it by more than a kernel")
    x, pads = _explicit(g, x, w, LOWEST)
    return g.add_all("MaxPool", [x], outputs, kernel_shape=list(w.kernel), strides=list(w.stride), pads=pads)


def _mean(g: OnnxGraph, x: str, w: Windows) -> str:
    geometry = {"kernel_shape": list(w.kernel), "strides": list(w.stride)}
    if w.fits() and not any(w.pad):  # the divisor is what lies inside the image
        return g.add("AveragePool", x, pads=[*w.pad, *w.after()], count_include_pad=0, **geometry)
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
        return [g.add("GlobalAveragePool", *s.inputs) if whole else _mean(g, s.inputs[0], w)]
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
    return [_mean(g, s.inputs[0], w)] if s.op.method == "AVE" else _maximum(g, s.inputs[0], w)  # type: ignore[attr-defined]


def position_scale(g: OnnxGraph, s: Step) -> list[str]:
    """A factor for each position: the divisor of means that leave the padding out."""
    return [g.add("Mul", s.inputs[0], g.constant(s.op.factors[None, None]))]  # type: ignore[attr-defined]

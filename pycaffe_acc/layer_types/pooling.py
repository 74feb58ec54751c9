"""Pooling: windows of an image reduced to one value."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.pad import Pad
from cnml.ops.pool import Pool
from cnml.ops.position_scale import PositionScale
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.side_padding import SidePadding, side_padding

#: the last two are TensorFlow converters' words for a mean that leaves the padding out
METHODS = ("MAX", "AVE", "STOCHASTIC", "AVE_EXC_PAD", "AVE_TF")
FLOOR = 1
TRAIN = 0


@dataclass(frozen=True)
class PoolingParams:
    """pooling_param.

    Attributes
    ----------
    method : str
    kernel, stride, pad : (int, int)
        Height, width.
    one_kernel, one_stride, one_pad : bool
        Whether the value was given in one way: size, or height and width.
    global_pooling : bool
    kernel_given : bool
    ceil : bool
        From round_mode, or from the vendor's ceil_mode where that is given.
    exclude_pad : bool
        AVE divides by the elements inside the image.
    sides : SidePadding or None
        Padding in the words of TensorFlow converters.
    """

    method: str
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    one_kernel: bool
    one_stride: bool
    one_pad: bool
    global_pooling: bool
    kernel_given: bool
    ceil: bool
    exclude_pad: bool
    sides: SidePadding | None


def _extent(p: Any, size: str, h: str, w: str) -> tuple[tuple[int, int], bool]:
    """Height and width, and whether they were given as the size alone or as both of the pair."""
    pair = p.HasField(h), p.HasField(w)
    if any(pair):
        return (getattr(p, h), getattr(p, w)), all(pair) and not p.HasField(size)
    return (getattr(p, size), getattr(p, size)), True


@layer("Pooling")
class Pooling(Layer):
    """top = maximum or mean of every window of an image; MAX gives the indices as a second top."""

    exact_tops = None
    min_tops = 1
    max_tops = 2

    @classmethod
    def parse(cls, message: Any) -> PoolingParams:
        """Read pooling_param."""
        p = message.pooling_param
        kernel, one_kernel = _extent(p, "kernel_size", "kernel_h", "kernel_w")
        stride, one_stride = _extent(p, "stride", "stride_h", "stride_w")
        pad, one_pad = _extent(p, "pad", "pad_h", "pad_w")
        given = p.HasField("kernel_size") or p.HasField("kernel_h") or p.HasField("kernel_w")
        ceil = p.ceil_mode if p.HasField("ceil_mode") else p.round_mode != FLOOR
        sides = None if p.global_pooling else side_padding(p)
        method = METHODS[p.pool]
        exclude = method in METHODS[3:]
        return PoolingParams("AVE" if exclude else method, kernel, stride, pad, one_kernel and given, one_stride, one_pad, p.global_pooling, given,
                             ceil, exclude, sides)

    def setup(self, bottoms: list[tuple[int, ...]]) -> None:
        """Check the parameters."""
        p = self.params
        self.check(self.num_tops == 1 or p.method == "MAX", f"has {self.num_tops} tops; only MAX pooling makes a second one, the indices")
        if p.global_pooling:
            self.check(not p.kernel_given,
                       "has global_pooling and a kernel size; global pooling takes the whole image, remove kernel_size, kernel_h and kernel_w")
            self.check(p.pad == (0, 0) and p.stride == (1, 1),
                       f"has global_pooling with pad {p.pad} and stride {p.stride}; global pooling takes pad 0 and stride 1 only")
        else:
            self.check(p.one_kernel, "needs its kernel as kernel_size, or as both kernel_h and kernel_w; not in both ways")
            self.check(min(p.kernel) > 0, f"has the kernel {p.kernel}; it must be positive")
        self.check(p.one_pad, "needs its padding as pad, or as both pad_h and pad_w; not in both ways")
        self.check(p.one_stride, "needs its stride as stride, or as both stride_h and stride_w; not in both ways")
        self.check(min(p.stride) > 0, f"has the stride {p.stride}; it must be positive")
        if any(p.pad):
            self.check(p.method != "STOCHASTIC", f"has pad {p.pad} with STOCHASTIC pooling; padding is for AVE and MAX")
            self.check(p.pad[0] < p.kernel[0] and p.pad[1] < p.kernel[1],
                       f"has pad {p.pad} for the kernel {p.kernel}; the pad must be smaller than the kernel")
        self.check(p.method != "STOCHASTIC" or self.context.phase != TRAIN,
                   "is STOCHASTIC in the TRAIN phase, which samples at random; only its TEST form is implemented")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Pool operator."""
        p, shape = self.params, bottoms[0].shape
        self.check(len(shape) == 4, f"its bottom has the shape {shape}; it must have 4 axes (num, channels, height, width)")
        if p.sides is not None or (p.exclude_pad and any(p.pad)):
            return self._emit_padded(graph, bottoms[0])
        op = Pool(p.method, None if p.global_pooling else p.kernel, p.stride, p.pad, p.ceil, self.num_tops == 2, self.name)
        return graph.add(op, bottoms)

    def _emit_padded(self, graph: Graph, bottom: Tensor) -> list[Tensor]:
        """Padding written out before the windows; for a mean without it a factor a position behind them."""
        p, size = self.params, bottom.shape[2:]
        self.check(self.num_tops == 1, "has two tops and padding by side; indices of maxima are for pad, pad_h and pad_w only")
        before, after = (p.pad, p.pad) if p.sides is None else p.sides.extents(size, p.kernel, p.stride)
        lowest = -float(np.finfo(np.float32).max)
        x = graph.add(Pad((0, 0, *before), (0, 0, *after), lowest if p.method == "MAX" else 0.0, f"{self.name}/pad"), [bottom])
        y = graph.add(Pool(p.method, p.kernel, p.stride, (0, 0), p.ceil and p.sides is None, False, self.name), x)
        if not p.exclude_pad:
            return y
        counts = []
        for axis in (0, 1):
            start = np.arange(y[0].shape[2 + axis]) * p.stride[axis] - before[axis]
            end = np.minimum(start + p.kernel[axis], size[axis] + after[axis])
            inside = np.minimum(end, size[axis]) - np.maximum(start, 0)
            counts.append((end - start) / np.maximum(inside, 1))
        return graph.add(PositionScale(np.outer(*counts), f"{self.name}/divisor"), y)

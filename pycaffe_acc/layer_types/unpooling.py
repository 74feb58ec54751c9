"""UnPooling: values spread over larger windows (vendor)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unpooling import UnPooling as UnPoolingOp
from cnml.ops.unpooling import UnPoolingWindow, window_for
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class UnPoolingParams:
    """unpooling_param; the window is None where it must come from bottom 1."""

    method: str
    window: UnPoolingWindow | None


@layer("UnPooling")
class UnPooling(Layer):
    """FIXED puts a value into the middle of its window, REP into all of it, DIV divides it over the window; overlaps are averaged."""

    exact_bottoms = None
    min_bottoms = 1
    max_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep unpooling_param for the checks that need the layer's name."""
        return message.unpooling_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p = self.params
        both = p.HasField("out_kernel_h") and p.HasField("out_kernel_w")
        self.check(p.HasField("out_kernel_size") != both, "give out_kernel_size, or out_kernel_h and out_kernel_w, but not both")
        for name in ("out_pad", "out_stride"):
            h, w = p.HasField(f"{name}_h"), p.HasField(f"{name}_w")
            self.check(h == w and not (h and p.HasField(name)), f"give {name}, or {name}_h and {name}_w, but not both")
        kernel = (p.out_kernel_h, p.out_kernel_w) if both else (p.out_kernel_size,) * 2
        stride = (p.out_stride_h, p.out_stride_w) if p.HasField("out_stride_h") else (p.out_stride,) * 2
        pad = (p.out_pad_h, p.out_pad_w) if p.HasField("out_pad_h") else (p.out_pad,) * 2
        self.params = UnPoolingParams(("FIXED", "DIV", "REP")[p.unpool], UnPoolingWindow(kernel, stride, pad) if self.num_bottoms == 1 else None)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One UnPooling operator; a second bottom gives the size by its shape."""
        self.check(all(len(b.shape) == 4 for b in bottoms), f"the bottoms have the shapes {[b.shape for b in bottoms]}; they need four axes")
        window = self.params.window
        if window is None:
            window = window_for(bottoms[0].shape[2:], bottoms[1].shape[2:])  # type: ignore[arg-type]
        return graph.add(UnPoolingOp(self.params.method, window, self.name), bottoms[:1])

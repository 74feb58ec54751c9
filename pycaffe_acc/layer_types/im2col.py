"""Im2col: the windows of a convolution as columns."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.im2col import Im2col as Im2colOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.layer_types.convolution import ConvolutionBase


@layer("Im2col")
class Im2col(ConvolutionBase):
    """top = every window of the bottom as a column, in the order of a convolution's weights."""

    exact_bottoms = 1
    exact_tops = 1

    def setup(self, bottoms: list[Shape]) -> None:
        """No weights."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Im2col operator."""
        p, shape = self.params, bottoms[0].shape
        axis = self.axis(p.axis, len(shape))
        spatial = len(shape) - axis - 1
        kernel = self._extents("kernel", p.kernel, p.kernel_hw, spatial, None)
        stride = self._extents("stride", p.stride, p.stride_hw, spatial, 1)
        pad = self._extents("pad", p.pad, p.pad_hw, spatial, 0)
        dilation = self._extents("dilation", p.dilation, None, spatial, 1)
        for what, values in (("kernel", kernel), ("stride", stride), ("dilation", dilation)):
            self.check(min(values, default=1) > 0, f"{what} {values} must be positive on every axis")
        return graph.add(Im2colOp(axis, kernel, stride, pad, dilation, self.name), bottoms)

"""Deconvolution: the transposed convolution."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.convolution import ConvolutionGeometry
from cnml.ops.deconvolution import Deconvolution as DeconvolutionOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.layer_types.convolution import ConvolutionBase


@layer("Deconvolution")
class Deconvolution(ConvolutionBase):
    """Each bottom element adds its weighted kernel to the top."""

    def weight_shape(self, g: ConvolutionGeometry, channels: int) -> Shape:
        """(C, O/group, kernel…): the first axis is the input channels."""
        return (channels, g.num_output // g.group, *g.kernel)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Deconvolution operator for each bottom."""
        return [graph.add(DeconvolutionOp(self.geometry(b.shape), self.name), [b], self.blobs)[0] for b in bottoms]

"""MLUYUVtoRGB: the vendor's layer that makes colours of video pixels."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.colour import YuvToRgb
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.proto import caffe_pb2


@layer("MLUYUVtoRGB")
class MLUYUVtoRGB(Layer):
    """bottom (N, 1, 3 H / 2, W): H rows of Y, then H / 2 rows of pairs of chroma, U first (NV12) or V first (NV21); top (N, 4, H, W) of 0..255, by
    BT.601 in the range of video."""

    @classmethod
    def parse(cls, message: Any) -> tuple[bool, str]:
        """Whether V comes first, and the order of the top's channels."""
        p = message.yuvtorgb_param
        return p.input_format == caffe_pb2.YuvToRgbParameter.YUV420SP_NV21, caffe_pb2.YuvToRgbParameter.OutputFormat.Name(p.output_format)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One YuvToRgb operator."""
        return graph.add(YuvToRgb(*self.params, self.name), bottoms)

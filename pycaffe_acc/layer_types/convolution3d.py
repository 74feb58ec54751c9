"""Convolution3D and Pooling3D: video layers of the vendor's MLU270 fork."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.convolution3d import Convolution3d as Convolution3dOp
from cnml.ops.convolution3d import Pooling3d as Pooling3dOp
from cnml.ops.convolution3d import Window3d
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class Convolution3DParams:
    """convolution3d_param."""

    num_output: int
    bias_term: bool
    window: Window3d
    filter_group: int
    weight_filler: Any
    bias_filler: Any


def _window(p: Any, temporal_pad: int) -> Window3d:
    side = int(p.kernel_size)
    return Window3d((int(p.kernel_depth), side, side), (int(p.temporal_stride), int(p.stride), int(p.stride)), (temporal_pad, int(p.pad), int(p.pad)))


class VideoLayer(Layer):
    """What both layers check."""

    def check_window(self, window: Window3d) -> None:
        """Kernel and stride must be positive."""
        self.check(min(window.kernel) > 0, f"kernel_depth and kernel_size give {window.kernel}; all must be positive")
        self.check(min(window.stride) > 0, f"temporal_stride and stride give {window.stride}; all must be positive")


@layer("Convolution3D")
class Convolution3D(VideoLayer):
    """top (N, num_output, L, H, W) = weights * bottom + bias."""

    @classmethod
    def parse(cls, message: Any) -> Convolution3DParams:
        """Read convolution3d_param."""
        p = message.convolution3d_param
        return Convolution3DParams(int(p.num_output), p.bias_term, _window(p, int(p.temporal_pad)), int(p.filter_group), p.weight_filler,
                                   p.bias_filler)

    def setup(self, bottoms: list[Shape]) -> None:
        """Weights (O, C, l, h, w), bias (1, 1, 1, 1, O)."""
        p = self.params
        self.check_window(p.window)
        self.check(len(bottoms[0]) == 5, f"the bottom has the shape {bottoms[0]}; it needs the five axes N, C, L, H, W")
        self.check(p.num_output > 0 and p.filter_group > 0 and p.num_output % p.filter_group == 0,
                   f"num_output {p.num_output} must be positive and divisible by filter_group {p.filter_group}")
        self.add_blob((p.num_output, bottoms[0][1], *p.window.kernel), p.weight_filler)
        if p.bias_term:
            self.add_blob((1, 1, 1, 1, p.num_output), p.bias_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Convolution3d operator; filter groups all read the whole bottom, so they change nothing."""
        return graph.add(Convolution3dOp(self.params.window, self.name), bottoms, self.blobs)


@layer("Pooling3D")
class Pooling3D(VideoLayer):
    """Maximum or mean over windows of length, height and width."""

    @classmethod
    def parse(cls, message: Any) -> tuple[str, Window3d]:
        """Read pooling3d_param."""
        p = message.pooling3d_param
        return ("MAX", "AVE", "STOCHASTIC")[p.pool], _window(p, 0)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Pooling3d operator."""
        method, window = self.params
        self.check_window(window)
        self.check(method == "AVE" or not any(window.pad), "pad works for pool: AVE only")
        return graph.add(Pooling3dOp(method, window, self.name), bottoms)

"""Upsample and UpsampleDarknet: by recorded positions (SegNet, ENet) or nearest neighbour (YOLO)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.upsample import UpsampleMask, UpsampleNearest
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class UpsampleParams:
    """upsample_param: a size, or scales and what is cut off at the end (pad_out)."""

    size: tuple[int, int]
    scale: tuple[int, int]
    pad_out: tuple[int, int]


@layer("Upsample")
class Upsample(Layer):
    """With a second bottom (the mask of a max pooling) values return to where they came from; with one bottom each output takes its nearest input.

    The nearest input of output i is floor(i * in / out), as in the YOLO converters; with vendor_exact round(i * (in - 1) / (out - 1)).
    """

    exact_bottoms = None
    min_bottoms = 1
    max_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> UpsampleParams:
        """Read upsample_param."""
        p = message.upsample_param
        scale = p.scale or p.stride
        return UpsampleParams((int(p.upsample_h), int(p.upsample_w)), (int(p.scale_h or p.stride_h or scale), int(p.scale_w or p.stride_w or scale)),
                              (int(p.pad_out_h), int(p.pad_out_w)))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """UpsampleMask or UpsampleNearest."""
        p, shape = self.params, bottoms[0].shape
        self.check(len(shape) == 4, f"the bottom has the shape {shape}; it needs the four axes N, C, H, W")
        sized = min(p.size) > 0
        self.check(sized or min(p.scale) > 0, "neither upsample_h and upsample_w nor a scale is given; one of them must be")
        for axis, pad, scale in zip("hw", p.pad_out, p.scale, strict=True):
            self.check(not pad or scale == 2, f"pad_out_{axis} needs scale 2, not {scale}: otherwise the size of the top is not defined")
        if len(bottoms) == 1:
            return graph.add(UpsampleNearest(*p.size, *p.scale, self.context.vendor_exact, self.name), bottoms)
        height, width = p.size if sized else tuple(n * s - o for n, s, o in zip(shape[2:], p.scale, p.pad_out, strict=True))
        return graph.add(UpsampleMask(height, width, self.name), bottoms)


@layer("UpsampleDarknet")
class UpsampleDarknet(Layer):
    """Nearest neighbour by a whole factor."""

    @classmethod
    def parse(cls, message: Any) -> int:
        """The factor."""
        return int(message.upsample_darknet_param.stride)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One UpsampleNearest."""
        self.check(self.params > 0, f"stride {self.params} must be positive")
        return graph.add(UpsampleNearest(scale_h=self.params, scale_w=self.params, name=self.name), bottoms)

"""AddPad (vendor), Pad (TensorFlow converters) and CropCenter (waifu2x): elements around the image, or less of it."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.pad import Pad as PadOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("AddPad")
class AddPad(Layer):
    """Zeros on both sides of height and width: pad, or pad_h and pad_w."""

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep addpad_param for the checks that need the layer's name."""
        return message.addpad_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p = self.params
        pair = p.HasField("pad_h") or p.HasField("pad_w")
        self.check(pair != bool(p.pad), "give pad once, or pad_h and pad_w")
        self.check(pair or len(p.pad) == 1, f"pad is given {len(p.pad)} times; it must be once")
        self.params = (int(p.pad_h), int(p.pad_w)) if pair else (int(p.pad[0]),) * 2

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Pad operator."""
        self.check(len(bottoms[0].shape) == 4, f"the bottom has the shape {bottoms[0].shape}; it needs the four axes N, C, H, W")
        sides = (0, 0, *self.params)
        return graph.add(PadOp(sides, sides, 0.0, self.name), bottoms)


@layer("Pad")
class Pad(Layer):
    """Zeros around every axis: paddings lists before and after for axis 0, then for axis 1 and so on."""

    @classmethod
    def parse(cls, message: Any) -> tuple[int, ...]:
        """The paddings."""
        return tuple(int(p) for p in message.pad_param.paddings)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Pad operator."""
        ndim = len(bottoms[0].shape)
        self.check(len(self.params) == 2 * ndim, f"paddings has {len(self.params)} numbers; the bottom's {ndim} axes need two each")
        return graph.add(PadOp(self.params[0::2], self.params[1::2], 0.0, self.name), bottoms)


@layer("CropCenter")
class CropCenter(Layer):
    """crop_size[i] elements less at both ends of axis i."""

    @classmethod
    def parse(cls, message: Any) -> tuple[int, ...]:
        """The numbers of elements."""
        return tuple(int(c) for c in message.crop_center_param.crop_size)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Pad operator with negative paddings."""
        shape = bottoms[0].shape
        self.check(len(self.params) == len(shape),
                   f"crop_size is given {len(self.params)} times; it must be once for each of the bottom's {len(shape)} axes")
        self.check(all(n > 2 * c for n, c in zip(shape, self.params, strict=True)), f"crop_size {self.params} leaves nothing of the bottom {shape}")
        cut = tuple(-c for c in self.params)
        return graph.add(PadOp(cut, cut, 0.0, self.name), bottoms)

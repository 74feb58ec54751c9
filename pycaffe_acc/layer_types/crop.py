"""Crop: a box of the first bottom, with the extents of the second."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.crop import Crop as CropOp
from cnml.ops.view import View
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class CropParams:
    """crop_param.

    Attributes
    ----------
    axis : int
        First axis that is cropped.
    offset : tuple of int
        None (0), one for all cropped axes, or one for each.
    """

    axis: int
    offset: tuple[int, ...]


@layer("Crop")
class Crop(Layer):
    """top = bottom 0 cut to the extents of bottom 1 on axes `axis` (default 2) and after."""

    exact_bottoms = 2

    @classmethod
    def parse(cls, message: Any) -> CropParams:
        """Read crop_param."""
        return CropParams(message.crop_param.axis, tuple(message.crop_param.offset))

    def _box(self, x: Shape, like: Shape) -> tuple[list[int], list[int]]:
        """Offsets and sizes for every axis."""
        first = self.axis(self.params.axis, len(x))
        given, cut = self.params.offset, len(x) - first
        self.check(len(given) in (0, 1, cut), f"has {len(given)} offsets; there must be none, one, or one for each of the {cut} cropped axes")
        self.check(len(like) == len(x), f"its second bottom has the shape {like}; it must have as many axes as the first, {x}")
        offsets = [0] * first + list(given if len(given) == cut else (given or (0,)) * cut)
        sizes = [*x[:first], *like[first:]]
        for a in range(first, len(x)):
            self.check(offsets[a] + sizes[a] <= x[a],
                       f"the crop for axis {a} is out of bounds: size {sizes[a]} at offset {offsets[a]} of an extent of {x[a]}")
        return offsets, sizes

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Crop operator; a view where nothing is cut."""
        x = bottoms[0]
        offsets, sizes = self._box(x.shape, bottoms[1].shape)
        if tuple(sizes) == x.shape:
            return graph.add(View(None, self.name), [x])
        return graph.add(CropOp(offsets, sizes, self.name), [x])

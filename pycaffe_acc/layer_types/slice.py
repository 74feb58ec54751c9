"""Slice: a bottom cut along an axis."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.slice import Slice as SliceOp
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class SliceParams:
    """slice_param.

    Attributes
    ----------
    axis : int
        May be negative, unless given as slice_dim.
    legacy : bool
        Whether it was given as slice_dim.
    points : tuple of int
        Where the pieces after the first begin; empty: equal pieces.
    both : bool
        Whether axis and slice_dim are there.
    """

    axis: int
    legacy: bool
    points: tuple[int, ...]
    both: bool


@layer("Slice")
class Slice(Layer):
    """The tops are consecutive pieces of the bottom along `axis` (default 1)."""

    exact_tops = None
    min_tops = 1

    @classmethod
    def parse(cls, message: Any) -> SliceParams:
        """Read slice_param."""
        p = message.slice_param
        legacy = p.HasField("slice_dim")
        return SliceParams(p.slice_dim if legacy else p.axis, legacy, tuple(p.slice_point), legacy and p.HasField("axis"))

    def _sizes(self, extent: int, axis: int) -> list[int]:
        points, tops = self.params.points, self.num_tops
        if not points:
            self.check(extent % tops == 0, f"axis {axis} of its bottom has {extent}, which {tops} tops do not divide evenly; give slice_point")
            return [extent // tops] * tops
        self.check(len(points) == tops - 1, f"has {len(points)} slice_point entries for {tops} tops; there must be one fewer than tops")
        self.check(tops <= extent, f"cuts {extent} elements of axis {axis} into {tops} tops; every top needs at least one")
        bounds = [0, *points, extent]
        for a, b in zip(bounds, bounds[1:], strict=False):
            self.check(b > a, f"has slice_point {list(points)} on an axis of {extent}; points must increase and lie inside the axis")
        return [b - a for a, b in zip(bounds, bounds[1:], strict=False)]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Slice operator; a view for a single top."""
        p, shape = self.params, bottoms[0].shape
        self.check(not p.both, "has both axis and slice_dim; give axis only")
        axis = self.axis(p.axis, len(shape), "slice_dim" if p.legacy else "axis")
        sizes = self._sizes(shape[axis], axis)
        if self.num_tops == 1:
            return graph.add(View(None, self.name), bottoms)
        return graph.add(SliceOp(axis, sizes, self.name), bottoms)

    def shares_memory(self) -> bool:
        """With a single top."""
        return self.num_tops == 1

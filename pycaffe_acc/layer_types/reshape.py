"""Reshape: the same elements under another shape."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Shape, Tensor, count
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ReshapeParams:
    """reshape_param.

    Attributes
    ----------
    dims : tuple of int
        New extents; 0 copies the bottom's, one -1 takes what is left.
    axis, num_axes : int
        Which axes of the bottom they replace; num_axes -1 is all from `axis`.
    """

    dims: tuple[int, ...]
    axis: int
    num_axes: int


@layer("Reshape")
class Reshape(Layer):
    """top = bottom with other extents; it shares the bottom's memory."""

    refuses_inplace = True

    @classmethod
    def parse(cls, message: Any) -> ReshapeParams:
        """Read reshape_param."""
        p = message.reshape_param
        return ReshapeParams(tuple(p.shape.dim), p.axis, p.num_axes)

    def setup(self, bottoms: list[Shape]) -> None:
        """Check the extents."""
        dims = self.params.dims
        self.check(dims.count(-1) <= 1, f"shape {list(dims)} has more than one -1; at most one extent can be inferred")
        self.check(min(dims, default=0) >= -1, f"shape {list(dims)} has an extent below -1; extents are positive, 0 to copy, or -1 to infer")

    def _shape(self, bottom: Shape) -> Shape:
        p, ndim = self.params, len(bottom)
        # -1 stands for the place after the last axis
        start = p.axis if p.axis >= 0 else ndim + p.axis + 1
        self.check(0 <= start <= ndim, f"axis {p.axis} is outside {-ndim - 1}..{ndim} for its bottom of shape {bottom}")
        self.check(p.num_axes >= -1, f"num_axes is {p.num_axes}; it must not be negative, or -1 for all that follow")
        end = ndim if p.num_axes == -1 else start + p.num_axes
        self.check(end <= ndim, f"axis {start} and num_axes {p.num_axes} reach beyond its bottom of shape {bottom}")
        dims = list(p.dims)
        for i, d in enumerate(dims):
            if d == 0:
                self.check(start + i < ndim, f"shape {list(p.dims)} has a 0 at position {i}, but its bottom {bottom} has no axis {start + i} to copy")
                dims[i] = bottom[start + i]
        if -1 in dims:
            known = count(bottom[:start]) * count(bottom[end:]) * count(tuple(d for d in dims if d != -1))
            self.check(known > 0 and count(bottom) % known == 0,
                       f"the {count(bottom)} elements of its bottom {bottom} are no multiple of the {known} that the other extents of the shape "
                       f"{list(p.dims)} hold")
            dims[dims.index(-1)] = count(bottom) // known
        return (*bottom[:start], *dims, *bottom[end:])

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One view."""
        bottom = bottoms[0].shape
        shape = self._shape(bottom)
        self.check(count(shape) == count(bottom),
                   f"its bottom of shape {bottom} has {count(bottom)} elements and the new shape {shape} {count(shape)}; they must be equal")
        return graph.add(View(shape, self.name), bottoms)

    def shares_memory(self) -> bool:
        """Always."""
        return True

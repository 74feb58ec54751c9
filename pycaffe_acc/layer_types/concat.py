"""Concat: bottoms joined along an axis."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.concat import Concat as ConcatOp
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ConcatParams:
    """concat_param.

    Attributes
    ----------
    axis : int
        May be negative, unless given as concat_dim.
    legacy : bool
        Whether it was given as concat_dim.
    both : bool
        Whether axis and concat_dim are there.
    """

    axis: int
    legacy: bool
    both: bool


@layer("Concat")
class Concat(Layer):
    """top = the bottoms, one after the other along `axis` (default 1)."""

    exact_bottoms = None
    min_bottoms = 1

    @classmethod
    def parse(cls, message: Any) -> ConcatParams:
        """Read concat_param."""
        p = message.concat_param
        legacy = p.HasField("concat_dim")
        return ConcatParams(p.concat_dim if legacy else p.axis, legacy, legacy and p.HasField("axis"))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Concat operator; a view of a single bottom."""
        p, ndim = self.params, len(bottoms[0].shape)
        self.check(not p.both, "has both axis and concat_dim; give axis only")
        axis = self.axis(p.axis, ndim, "concat_dim" if p.legacy else "axis")
        if len(bottoms) == 1:
            return graph.add(View(None, self.name), bottoms)
        for i, b in enumerate(bottoms):
            same = len(b.shape) == ndim and all(b.shape[j] == bottoms[0].shape[j] for j in range(ndim) if j != axis)
            self.check(same, f"bottom {i} has the shape {b.shape} and bottom 0 {bottoms[0].shape}; they must be equal on every axis but axis {axis}")
        return graph.add(ConcatOp(axis, self.name), bottoms)

    def shares_memory(self) -> bool:
        """With a single bottom."""
        return self.num_bottoms == 1

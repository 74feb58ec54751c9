"""Exp: a power of a base."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ExpParams:
    """exp_param; base -1 stands for e."""

    base: float
    scale: float
    shift: float


@layer("Exp")
class Exp(Layer):
    """top = base ** (shift + scale * bottom)."""

    @classmethod
    def parse(cls, message: Any) -> ExpParams:
        """Read exp_param."""
        p = message.exp_param
        return ExpParams(p.base, p.scale, p.shift)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator: exp(ln(base) * scale * x) * base ** shift."""
        p = self.params
        self.check(p.base == -1 or p.base > 0, f"base is {p.base:g}; it must be positive, or -1 for e")
        ln = 1.0 if p.base == -1 else math.log(p.base)
        return graph.add(Unary("exp", ln * p.scale, math.exp(ln * p.shift), name=self.name), bottoms)

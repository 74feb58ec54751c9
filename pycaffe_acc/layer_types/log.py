"""Log: the logarithm to a base."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class LogParams:
    """log_param; base -1 stands for e."""

    base: float
    scale: float
    shift: float


@layer("Log")
class Log(Layer):
    """top = log_base(shift + scale * bottom)."""

    @classmethod
    def parse(cls, message: Any) -> LogParams:
        """Read log_param."""
        p = message.log_param
        return LogParams(p.base, p.scale, p.shift)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        p = self.params
        self.check(p.base == -1 or p.base > 0, f"base is {p.base:g}; it must be positive, or -1 for e")
        self.check(p.base != 1, "base is 1, which has no logarithm; it must be positive and not 1, or -1 for e")
        return graph.add(Unary("log", p.scale, p.shift, 1.0 if p.base == -1 else 1.0 / math.log(p.base), name=self.name), bottoms)

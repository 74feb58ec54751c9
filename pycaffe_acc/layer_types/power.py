"""Power: a power of a linear function."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class PowerParams:
    """power_param."""

    power: float
    scale: float
    shift: float


@layer("Power")
class Power(Layer):
    """top = (shift + scale * bottom) ** power; a constant when scale * power is 0."""

    @classmethod
    def parse(cls, message: Any) -> PowerParams:
        """Read power_param."""
        p = message.power_param
        return PowerParams(p.power, p.scale, p.shift)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Unary operator."""
        p = self.params
        return graph.add(Unary("power", p.power, p.scale, p.shift, name=self.name), bottoms)

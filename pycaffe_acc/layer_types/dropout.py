"""Dropout: the identity at test time."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.ops.unary import Unary
from cnml.ops.view import View
from cnml.tensor import Tensor
from pycaffe_acc.filler import generator
from pycaffe_acc.layer import Layer, layer

TRAIN = 0


@dataclass(frozen=True)
class DropoutParams:
    """dropout_param.

    Attributes
    ----------
    ratio : float
        Share of elements set to zero in the TRAIN phase.
    scale_train : bool
        The vendor's: True scales up in TRAIN, False scales down in TEST.
    """

    ratio: float
    scale_train: bool


@layer("Dropout")
class Dropout(Layer):
    """top = bottom at TEST; at TRAIN elements are dropped at random."""

    @classmethod
    def parse(cls, message: Any) -> DropoutParams:
        """Read dropout_param."""
        p = message.dropout_param
        return DropoutParams(p.dropout_ratio, p.scale_train)

    def setup(self, bottoms: list[tuple[int, ...]]) -> None:
        """Check the ratio."""
        self.check(0 < self.params.ratio < 1, f"dropout_ratio is {self.params.ratio:g}; it must be between 0 and 1, both excluded")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A view, a multiplication, or a random mask."""
        p = self.params
        if self.context.phase == TRAIN:
            reason = "random masks are for training"
            return graph.add(HostCall("Dropout", self._drop, [bottoms[0].shape], self.name, reason), bottoms)
        if p.scale_train:
            return graph.add(View(None, self.name), bottoms)
        return graph.add(Unary("power", 1.0, 1.0 - p.ratio, 0.0, name=self.name), bottoms)

    def _drop(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> list[np.ndarray]:
        keep = generator().random(inputs[0].shape) >= self.params.ratio
        scale = 1.0 / (1.0 - self.params.ratio) if self.params.scale_train else 1.0
        return [(inputs[0] * keep * scale).astype(np.float32)]

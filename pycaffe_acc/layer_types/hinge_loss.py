"""HingeLoss: one-vs-all hinge loss."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.hinge_loss import HingeLoss as HingeLossOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer


@dataclass(frozen=True)
class HingeLossParams:
    """hinge_loss_param."""

    squared: bool


@layer("HingeLoss")
class HingeLoss(LossLayer):
    """top = sum of max(0, 1 + s) (L1) or its square (L2) over N, s the scores with the label's negated."""

    @classmethod
    def parse(cls, message: Any) -> HingeLossParams:
        """Read hinge_loss_param."""
        return HingeLossParams(int(message.hinge_loss_param.norm) == 2)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One HingeLoss operator."""
        self.check_items(bottoms)
        return graph.add(HingeLossOp(self.params.squared, self.name), bottoms)

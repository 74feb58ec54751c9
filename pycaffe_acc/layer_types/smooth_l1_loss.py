"""SmoothL1Loss: Fast R-CNN's box loss."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.smooth_l1_loss import SmoothL1Loss as SmoothL1LossOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("SmoothL1Loss")
class SmoothL1Loss(Layer):
    """top is a scalar; bottoms are predictions, targets and, if any, inside and outside weights."""

    exact_bottoms = None
    min_bottoms = 2
    max_bottoms = 4
    auto_top = True

    @classmethod
    def parse(cls, message: Any) -> float:
        """sigma."""
        return float(message.smooth_l1_loss_param.sigma)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One SmoothL1Loss operator."""
        return graph.add(SmoothL1LossOp(self.params, self.name), bottoms)

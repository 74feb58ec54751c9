"""EuclideanLoss: half the mean squared distance."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.euclidean_loss import EuclideanLoss as EuclideanLossOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer


@layer("EuclideanLoss")
class EuclideanLoss(LossLayer):
    """top = sum (a - b)^2 / (2 N)."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One EuclideanLoss operator."""
        self.check_items(bottoms)
        return graph.add(EuclideanLossOp(self.name), bottoms)

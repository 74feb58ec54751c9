"""SigmoidCrossEntropyLoss: cross entropy of logistic outputs."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.sigmoid_cross_entropy_loss import SigmoidCrossEntropyLoss as SigmoidCrossEntropyLossOp
from cnml.reference.loss_normalizer import Normalization
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer, LossParams, read_loss_param


@layer("SigmoidCrossEntropyLoss")
class SigmoidCrossEntropyLoss(LossLayer):
    """top = cross entropy of sigmoid(bottom 0) with the targets in bottom 1, divided by the batch size unless told otherwise."""

    @classmethod
    def parse(cls, message: Any) -> LossParams:
        """Read loss_param."""
        return read_loss_param(message, Normalization.BATCH_SIZE)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One SigmoidCrossEntropyLoss operator."""
        self.check_items(bottoms)
        return graph.add(SigmoidCrossEntropyLossOp(self.params.ignore, self.params.normalization, self.name), bottoms)

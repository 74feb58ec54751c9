"""SoftmaxWithLoss: cross entropy of a softmax."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.softmax_loss import SoftmaxLoss
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer, LossParams, read_loss_param


@dataclass(frozen=True)
class SoftmaxWithLossParams:
    """softmax_param and loss_param."""

    axis: int
    loss: LossParams


@layer("SoftmaxWithLoss")
class SoftmaxWithLoss(LossLayer):
    """top = mean of -log(softmax(scores)[label]).

    The second top that the type could have is refused, as by Caffe, whose inner Softmax cannot be set up then.
    """

    @classmethod
    def parse(cls, message: Any) -> SoftmaxWithLossParams:
        """Read softmax_param and loss_param."""
        return SoftmaxWithLossParams(message.softmax_param.axis, read_loss_param(message))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One SoftmaxLoss operator."""
        self.check_items(bottoms)
        p = self.params
        return graph.add(SoftmaxLoss(self.axis(p.axis, len(bottoms[0].shape)), p.loss.ignore, p.loss.normalization, self.name), bottoms)

"""MultinomialLogisticLoss: logistic loss of given probabilities."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.multinomial_logistic_loss import MultinomialLogisticLoss as MultinomialLogisticLossOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer


@layer("MultinomialLogisticLoss")
class MultinomialLogisticLoss(LossLayer):
    """top = mean of -log(max(p[label], 1e-20)); bottom 0 holds probabilities."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One MultinomialLogisticLoss operator."""
        self.check_items(bottoms)
        return graph.add(MultinomialLogisticLossOp(self.name), bottoms)

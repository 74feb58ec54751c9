"""ContrastiveLoss: loss of pairs that belong together or not."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.contrastive_loss import ContrastiveLoss as ContrastiveLossOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.loss_layer import LossLayer


@dataclass(frozen=True)
class ContrastiveLossParams:
    """contrastive_loss_param."""

    margin: float
    legacy: bool


@layer("ContrastiveLoss")
class ContrastiveLoss(LossLayer):
    """top = 1/(2N) sum of d^2 for similar pairs (bottom 2 not 0), max(margin - d, 0)^2 for others."""

    exact_bottoms = 3

    @classmethod
    def parse(cls, message: Any) -> ContrastiveLossParams:
        """Read contrastive_loss_param."""
        p = message.contrastive_loss_param
        return ContrastiveLossParams(float(p.margin), bool(p.legacy_version))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One ContrastiveLoss operator."""
        self.check_items(bottoms)
        return graph.add(ContrastiveLossOp(self.params.margin, self.params.legacy, self.name), bottoms)

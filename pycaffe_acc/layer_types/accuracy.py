"""Accuracy: share of right classifications."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.accuracy import Accuracy as AccuracyOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class AccuracyParams:
    """accuracy_param."""

    top_k: int
    axis: int
    ignore: int | None


@layer("Accuracy")
class Accuracy(Layer):
    """top 0 = share of outputs whose label is among the top_k scores (equal scores count against it); top 1 = the share of each class."""

    exact_bottoms = 2
    exact_tops = None
    min_tops = 1
    max_tops = 2

    @classmethod
    def parse(cls, message: Any) -> AccuracyParams:
        """Read accuracy_param."""
        p = message.accuracy_param
        return AccuracyParams(int(p.top_k), int(p.axis), int(p.ignore_label) if p.HasField("ignore_label") else None)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Accuracy operator."""
        p = self.params
        return graph.add(AccuracyOp(self.axis(p.axis, len(bottoms[0].shape)), p.top_k, p.ignore, self.num_tops > 1, self.name), bottoms)

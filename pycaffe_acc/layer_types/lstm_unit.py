"""LSTMUnit: one step of an LSTM."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.lstm_unit import LSTMUnit as LSTMUnitOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("LSTMUnit")
class LSTMUnit(Layer):
    """tops c, h from the previous c (1, N, H), the gates' sums (1, N, 4H) in the order input, forget, output, candidate, and cont (1, N)."""

    exact_bottoms = 3
    exact_tops = 2

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One LSTMUnit operator."""
        return graph.add(LSTMUnitOp(self.name), bottoms)

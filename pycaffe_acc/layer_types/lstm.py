"""LSTM: a long short-term memory over time."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.lstm import LSTM as LSTMOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.recurrent_layer import RecurrentLayer


@layer("LSTM")
class LSTM(RecurrentLayer):
    """Blobs W_xc (4H, I), b_c (4H), [W_xc_static (4H, S)], W_hc (4H, H); gates in the order input, forget, output, candidate."""

    states = 2

    def add_weights(self, inputs: int, static: int) -> None:
        """W_xc, b_c, [W_xc_static], W_hc."""
        p = self.params
        self.add_blob((4 * p.num_output, inputs), p.weight_filler)
        self.add_blob((4 * p.num_output,), p.bias_filler)
        if self.static:
            self.add_blob((4 * p.num_output, static), p.weight_filler)
        self.add_blob((4 * p.num_output, p.num_output), p.weight_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Inner products over all steps, and an LSTM operator."""
        self.check_shapes(bottoms[0].shape, bottoms[1].shape, [t.shape for t in bottoms[2:]])
        products = self.input_products(graph, bottoms, 4 * self.params.num_output, self.blobs)
        inputs = [products[0], bottoms[1], *products[1:], *bottoms[2 + self.static:]]
        op = LSTMOp(self.static, self.params.expose_hidden, self.name)
        return graph.add(op, inputs, [self.blobs[-1], *self.carried(bottoms[0].shape[1])])

"""RNN: a plain recurrent net over time."""
from __future__ import annotations

from cnml.graph import Graph
from cnml.ops.rnn import RNN as RNNOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import layer
from pycaffe_acc.recurrent_layer import RecurrentLayer


@layer("RNN")
class RNN(RecurrentLayer):
    """h' = tanh(W_hh (cont * h) + W_xh x + b_h [+ W_xh_static x_static]), top = tanh(W_ho h' + b_o).

    Blobs W_xh, b_h, [W_xh_static], W_hh, W_ho, b_o.
    """

    def add_weights(self, inputs: int, static: int) -> None:
        """W_xh, b_h, [W_xh_static], W_hh, W_ho, b_o."""
        p, h = self.params, self.params.num_output
        self.add_blob((h, inputs), p.weight_filler)
        self.add_blob((h,), p.bias_filler)
        if self.static:
            self.add_blob((h, static), p.weight_filler)
        self.add_blob((h, h), p.weight_filler)
        self.add_blob((h, h), p.weight_filler)
        self.add_blob((h,), p.bias_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Inner products over all steps, and an RNN operator."""
        self.check_shapes(bottoms[0].shape, bottoms[1].shape, [t.shape for t in bottoms[2:]])
        products = self.input_products(graph, bottoms, self.params.num_output, self.blobs)
        inputs = [products[0], bottoms[1], *products[1:], *bottoms[2 + self.static:]]
        op = RNNOp(self.static, self.params.expose_hidden, self.name)
        return graph.add(op, inputs, [*self.blobs[-3:], *self.carried(bottoms[0].shape[1])])

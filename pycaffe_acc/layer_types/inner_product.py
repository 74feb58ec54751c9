"""InnerProduct: a fully connected layer."""
from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from cnml.graph import Graph
from cnml.ops.inner_product import InnerProduct as InnerProductOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, NetContext, layer
from pycaffe_acc.layer_codes import layer_codes


@dataclass(frozen=True)
class InnerProductParams:
    """inner_product_param."""

    num_output: int
    bias_term: bool
    axis: int
    transpose: bool
    weight_filler: Any
    bias_filler: Any


@layer("InnerProduct")
class InnerProduct(Layer):
    """top = bottom (flattened from `axis` on) times weights, plus bias."""

    def __init__(self, message: Any, context: NetContext):
        super().__init__(message, context)
        self.int8 = layer_codes(message)
        self.sparse = bool(message.inner_product_param.sparse_mode)

    @classmethod
    def parse(cls, message: Any) -> InnerProductParams:
        """Read inner_product_param."""
        p = message.inner_product_param
        return InnerProductParams(int(p.num_output), bool(p.bias_term), int(p.axis), bool(p.transpose), p.weight_filler, p.bias_filler)

    def setup(self, bottoms: list[Shape]) -> None:
        """Weights (N, K), or (K, N) with `transpose`, and a bias."""
        p = self.params
        self.check(p.num_output > 0, f"num_output is {p.num_output}; it must be positive")
        k = prod(bottoms[0][self.axis(p.axis, len(bottoms[0])):])
        self.add_blob((k, p.num_output) if p.transpose else (p.num_output, k), p.weight_filler)
        if p.bias_term:
            self.add_blob((p.num_output,), p.bias_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One InnerProduct operator."""
        p = self.params
        axis = self.axis(p.axis, len(bottoms[0].shape))
        op = InnerProductOp(p.num_output, axis, p.bias_term, p.transpose, self.name, int8=self.int8, sparse=self.sparse)
        return graph.add(op, bottoms, self.blobs)

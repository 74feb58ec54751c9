"""Embed: rows of a table, picked by index."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.embed import Embed as EmbedOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class EmbedParams:
    """embed_param."""

    num_output: int
    input_dim: int
    bias_term: bool
    weight_filler: Any
    bias_filler: Any


@layer("Embed")
class Embed(Layer):
    """top = weights[int(bottom)] + bias. An index outside the table gives NaN (Caffe reads foreign memory there)."""

    @classmethod
    def parse(cls, message: Any) -> EmbedParams:
        """Read embed_param."""
        p = message.embed_param
        return EmbedParams(int(p.num_output), int(p.input_dim), bool(p.bias_term), p.weight_filler, p.bias_filler)

    def setup(self, bottoms: list[Shape]) -> None:
        """Weights (input_dim, num_output) and a bias."""
        p = self.params
        self.check(p.num_output > 0, f"embed_param.num_output is {p.num_output}; it must be positive")
        self.check(p.input_dim > 0, f"embed_param.input_dim is {p.input_dim}; it must be positive")
        self.add_blob((p.input_dim, p.num_output), p.weight_filler)
        if p.bias_term:
            self.add_blob((p.num_output,), p.bias_filler)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Embed operator."""
        return graph.add(EmbedOp(self.params.bias_term, self.name), bottoms, self.blobs)

"""Rows of a table, picked by index."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.embed import embed
from cnml.tensor import Shape, Tensor


class Embed(Operator):
    """y = table[int(x)] (+ bias). Parameters: table (K, N), bias (N,) if any. An index outside the table gives a row of NaN.

    Parameters
    ----------
    bias : bool
    name : str
    """

    kind = "Embed"
    value_inputs = 0

    def __init__(self, bias: bool = True, name: str = ""):
        super().__init__(name)
        self.bias = bias

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A row for each index."""
        expect(len(parameters[0]) == 2, self, f"table {parameters[0]}", "it must have two axes, indices and values")
        return [(*inputs[0], parameters[0][1])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.embed`."""
        return [embed(inputs[0], parameters[0], parameters[1] if self.bias else None)]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over the indices."""
        table, *bias = emit.parameters
        k, n = table.shape
        emit.call("embed_f32", inputs[0], table, bias[0] if bias else None, outputs[0], prod(inputs[0].shape), k, n)

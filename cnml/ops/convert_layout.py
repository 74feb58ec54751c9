"""Moves a tensor between PLAIN and NHWC."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.tensor import Layout, Shape, Tensor


class ConvertLayout(Operator):
    """The same logical values in another order.

    Parameters
    ----------
    layout : Layout
        The layout of the output.
    name : str
    """

    kind = "ConvertLayout"
    results = "selected"

    def __init__(self, layout: Layout, name: str = ""):
        super().__init__(name)
        self.layout = layout

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """Logically the identity."""
        return [inputs[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One batched matrix transposition, (C, H*W) ↔ (H*W, C)."""
        n, c, h, w = inputs[0].shape
        rows, cols = (c, h * w) if self.layout is Layout.NHWC else (h * w, c)
        emit.call("transpose_x32", inputs[0], outputs[0], n, rows, cols)

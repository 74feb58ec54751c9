"""Rounding to half precision, where float32 values enter an FP16 graph."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.operator import Operator, follow_layouts
from cnml.reference.half import round_half
from cnml.tensor import Layout, Shape, Tensor


class RoundHalf(Operator):
    """y = the nearest half of x, at most ±65504, in float32."""

    kind = "RoundHalf"
    inplace = True

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.half`."""
        return [round_half(inputs[0])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the elements."""
        emit.round(inputs[0], outputs[0])

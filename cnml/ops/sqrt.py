"""Square root."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.operator import Operator, follow_layouts
from cnml.reference.sqrt import sqrt
from cnml.tensor import Layout, Shape, Tensor


class Sqrt(Operator):
    """y = sqrt(x)."""

    kind = "Sqrt"
    inplace = True

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.sqrt`."""
        return [sqrt(inputs[0])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        emit.call("sqrt_f32", inputs[0], outputs[0], inputs[0].count)

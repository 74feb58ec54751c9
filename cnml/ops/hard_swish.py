"""MobileNet v3's activation."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.operator import Operator, follow_layouts
from cnml.reference.hard_swish import hard_swish
from cnml.tensor import Layout, Shape, Tensor


class HardSwish(Operator):
    """y = x * min(max(x + 3, 0), 6) / 6."""

    kind = "HardSwish"
    inplace = True

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.hard_swish`."""
        return [hard_swish(inputs[0])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        emit.call("hard_swish_f32", inputs[0], outputs[0], inputs[0].count)

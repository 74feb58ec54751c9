"""Reversal of an axis."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.reverse import reverse
from cnml.tensor import Layout, Shape, Tensor, count


class Reverse(Operator):
    """y is x with one axis read backwards.

    Parameters
    ----------
    axis : int
        Canonical.
    name : str
    """

    kind = "Reverse"
    results = "selected"

    def __init__(self, axis: int = 1, name: str = ""):
        super().__init__(name)
        self.axis = axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(0 <= self.axis < len(inputs[0]), self, f"axis {self.axis}", f"the input has {len(inputs[0])} axes")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.reverse`."""
        return [reverse(inputs[0], self.axis)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Blocks copied in backward order."""
        shape = inputs[0].stored_shape
        axis = {0: 0, 1: 3, 2: 1, 3: 2}[self.axis] if inputs[0].layout is Layout.NHWC else self.axis
        emit.call("reverse_x32", inputs[0], outputs[0], count(shape[:axis]), shape[axis], count(shape[axis + 1:]))

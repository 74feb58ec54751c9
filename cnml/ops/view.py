"""The same bytes under another shape: Reshape, Flatten, Split, Dropout at TEST."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.tensor import Layout, Shape, count


class View(Operator):
    """y is x with the shape `shape`; no copy, no instruction.

    Parameters
    ----------
    shape : tuple of int or None
        None keeps the input's shape.
    name : str
    outputs : int
        How many views to make (Split makes several).
    """

    kind = "View"
    view = True
    results = "selected"

    def __init__(self, shape: Shape | None, name: str = "", outputs: int = 1):
        super().__init__(name)
        self.shape = shape
        self.outputs = outputs

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The element count must stay."""
        shape = inputs[0] if self.shape is None else self.shape
        expect(count(shape) == count(inputs[0]), self, f"input {inputs[0]}",
               f"it has {count(inputs[0])} elements and the output {shape} {count(shape)}; they must be equal")
        return [shape] * self.outputs

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """x.reshape(shape)."""
        return [inputs[0].reshape(inputs[0].shape if self.shape is None else self.shape)] * self.outputs

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """An unchanged shape keeps its layout; a changed one needs plain bytes."""
        if self.shape is None or tuple(self.shape) == shapes[0]:
            return [given[0]], [given[0]]
        return [Layout.PLAIN], [Layout.PLAIN]

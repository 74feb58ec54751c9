"""Concatenated ReLU."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.crelu import crelu
from cnml.tensor import Layout, Shape, Tensor, count


class CRelu(Operator):
    """y = relu(x) and relu(-x), one after the other along an axis.

    Parameters
    ----------
    axis : int
        Canonical.
    slope : float
        Slope of the negative side.
    name : str
    """

    kind = "CReLU"

    def __init__(self, axis: int = 1, slope: float = 0.0, name: str = ""):
        super().__init__(name)
        self.axis = axis
        self.slope = slope

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis doubles."""
        shape = inputs[0]
        expect(0 <= self.axis < len(shape), self, f"axis {self.axis}", f"the input has {len(shape)} axes")
        return [shape[:self.axis] + (2 * shape[self.axis],) + shape[self.axis + 1:]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.crelu`."""
        return [crelu(inputs[0], self.axis, self.slope)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Over (outer, axis and what is inside it)."""
        shape = inputs[0].stored_shape
        axis = {0: 0, 1: 3, 2: 1, 3: 2}[self.axis] if inputs[0].layout is Layout.NHWC else self.axis
        emit.call("crelu_f32", inputs[0], outputs[0], count(shape[:axis]), count(shape[axis:]), float(self.slope))

"""One constant factor for each position of an image."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.position_scale import position_scale
from cnml.tensor import Layout, Shape, Tensor


class PositionScale(Operator):
    """y[n, c, h, w] = x[n, c, h, w] * factors[h, w].

    Parameters
    ----------
    factors : (H, W) ndarray
    name : str
    """

    kind = "PositionScale"
    inplace = True

    def __init__(self, factors: np.ndarray, name: str = ""):
        super().__init__(name)
        self.factors = np.ascontiguousarray(factors, np.float32)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(len(inputs[0]) == 4 and inputs[0][2:] == self.factors.shape, self, f"input {inputs[0]}",
               f"its height and width must be {self.factors.shape}")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.position_scale`."""
        return [position_scale(inputs[0], self.factors)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        x = inputs[0]
        n, c, h, w = x.shape
        emit.call("position_scale_f32", x, outputs[0], self.factors, n, c, h * w, x.layout is Layout.NHWC)

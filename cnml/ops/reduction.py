"""Sums over the last axes."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.reduction import reduction
from cnml.tensor import Layout, Shape, Tensor

OPERATIONS = ("SUM", "ASUM", "SUMSQ", "MEAN")


class Reduction(Operator):
    """coeff times sum, sum of absolute values, sum of squares or mean over all axes from `axis` on.

    Parameters
    ----------
    axis : int
        Canonical.
    operation : str
        One of `OPERATIONS`.
    coeff : float
    name : str
    """

    kind = "Reduction"

    def __init__(self, axis: int = 0, operation: str = "SUM", coeff: float = 1.0, name: str = ""):
        super().__init__(name)
        self.axis, self.operation, self.coeff = axis, operation, coeff

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axes in front."""
        expect(self.operation in OPERATIONS, self, f"operation '{self.operation}'", f"it must be one of {', '.join(OPERATIONS)}")
        return [inputs[0][:self.axis]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.reduction`."""
        return [reduction(inputs[0], self.axis, self.operation, self.coeff)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """A sum over a whole item does not mind the order."""
        return [given[0] if self.axis <= 1 else Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over (rows, columns)."""
        shape = inputs[0].shape
        columns = prod(shape[self.axis:])
        coeff = self.coeff / columns if self.operation == "MEAN" else self.coeff
        operation = ("SUM", "ASUM", "SUMSQ", "MEAN").index(self.operation) % 3  # a mean is a sum with another factor
        emit.call("reduction_f32", inputs[0], outputs[0], prod(shape[:self.axis]), columns, operation, float(coeff))

"""A function given by points."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.piecewise import piecewise
from cnml.tensor import Shape


class Piecewise(Operator):
    """y = straight lines between points of equal distances from `start` to `end`.

    Parameters
    ----------
    start, end : float
    values : sequence of float
        The function at the points.
    below : float
        The value left of the first point; right of the last one it stays.
    name : str
    """

    kind = "Piecewise"
    host_reason = "a function of the user's; NumPy's interpolation serves it"

    def __init__(self, start: float, end: float, values: Sequence[float], below: float, name: str = ""):
        super().__init__(name)
        self.start, self.end, self.values, self.below = float(start), float(end), np.asarray(values, np.float64), float(below)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(self.values.ndim == 1 and len(self.values) >= 2, self, f"values of shape {self.values.shape}", "there must be two points or more")
        expect(self.start < self.end, self, f"a range from {self.start} to {self.end}", "it must rise")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.piecewise`."""
        return [piecewise(inputs[0], self.start, self.end, self.values, self.below)]

"""Pooling over windows whose borders are given."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.fractional_pool import fractional_pool
from cnml.tensor import Shape


class FractionalPool(Operator):
    """The maximum or mean of windows between given borders of (N, C, H, W).

    Parameters
    ----------
    method : {"MAX", "AVE"}
    rows, columns : sequence of int
        Rising borders from 0 to the extent.
    overlapping : bool
        A window holds the border behind it, too.
    name : str
    """

    kind = "FractionalPool"
    host_reason = "no deployed network pools so"

    def __init__(self, method: str, rows: Sequence[int], columns: Sequence[int], overlapping: bool = False, name: str = ""):
        super().__init__(name)
        self.method, self.rows, self.columns, self.overlapping = method, tuple(rows), tuple(columns), overlapping
        if method == "MAX":
            self.results = "selected"  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A window between two borders."""
        x = inputs[0]
        expect(self.method in ("MAX", "AVE"), self, f"method '{self.method}'", "it must be MAX or AVE")
        expect(len(x) == 4, self, f"input {x}", "it needs the four axes N, C, H, W")
        for borders, extent in ((self.rows, x[2]), (self.columns, x[3])):
            rising = len(borders) > 1 and all(a < b for a, b in zip(borders, borders[1:], strict=False))
            expect(rising and borders[0] == 0 and borders[-1] == extent, self, f"borders {borders} and input {x}",
                   f"they must rise from 0 to {extent}")
        return [(x[0], x[1], len(self.rows) - 1, len(self.columns) - 1)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.fractional_pool`."""
        return [fractional_pool(inputs[0], self.rows, self.columns, self.method, self.overlapping)]

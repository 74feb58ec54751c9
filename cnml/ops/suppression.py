"""Boxes with scores, sorted and thinned out to a fixed number of rows."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.suppression import SuppressionOptions, suppress
from cnml.tensor import Shape


class Suppress(Operator):
    """Rows (x1, y1, x2, y2, score) in, the best that do not overlap out, (rows, 5), zeros behind them.

    Parameters
    ----------
    options : SuppressionOptions
    name : str
    """

    kind = "Suppress"
    results = "kept"
    host_reason = "sorting and suppression, data dependent"

    def __init__(self, options: SuppressionOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A fixed number of rows."""
        expect(len(inputs[0]) == 2 and inputs[0][1] == 5, self, f"input {inputs[0]}", "it must have rows of five numbers")
        expect(self.options.rows > 0, self, f"{self.options.rows} rows", "there must be one or more")
        return [(self.options.rows, 5)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.suppression`."""
        return [suppress(inputs[0], self.options)]

"""Loss of box regression."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.pair_loss import smooth_l1_loss
from cnml.tensor import Shape


class SmoothL1Loss(Operator):
    """Huber-like loss of box regression: inputs a, b, then weights inside, then weights outside the absolute value.

    Parameters
    ----------
    sigma : float
    name : str
    """

    kind = "SmoothL1Loss"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, sigma: float = 1.0, name: str = ""):
        super().__init__(name)
        self.sigma = sigma

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; all inputs of one size."""
        for other in inputs[1:]:
            expect(prod(other[1:]) == prod(inputs[0][1:]) and other[0] == inputs[0][0], self, f"inputs {inputs}", "all must have the same number of items, channels, rows and columns")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        inside, outside = (*inputs[2:], None, None)[:2]
        return [smooth_l1_loss(inputs[0], inputs[1], inside, outside, self.sigma)]

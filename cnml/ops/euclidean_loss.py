"""Half the mean squared distance."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.pair_loss import euclidean_loss
from cnml.tensor import Shape


class EuclideanLoss(Operator):
    """Half the mean squared distance."""

    kind = "EuclideanLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; equal counts behind axis 0."""
        a, b = (prod(s[1:]) for s in inputs)
        expect(a == b, self, f"inputs {inputs[0]} and {inputs[1]}", f"an item has {a} and {b} values; they must have the same dimension")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        return [euclidean_loss(inputs[0], inputs[1])]

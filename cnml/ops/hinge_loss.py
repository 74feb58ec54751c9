"""One-vs-all hinge loss."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.labels import check_labels
from cnml.reference.pair_loss import hinge_loss
from cnml.tensor import Shape


class HingeLoss(Operator):
    """One-vs-all hinge loss.

    Parameters
    ----------
    squared : bool
        Norm L2.
    name : str
    """

    kind = "HingeLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, squared: bool = False, name: str = ""):
        super().__init__(name)
        self.squared = squared

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; at least one label an item."""
        expect(prod(inputs[1]) >= inputs[0][0], self, f"scores {inputs[0]} and labels {inputs[1]}", "every item needs a label")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        n = len(inputs[0])
        check_labels(self, inputs[1].reshape(-1)[:n], prod(inputs[0].shape[1:]))
        return [hinge_loss(inputs[0], inputs[1], self.squared)]

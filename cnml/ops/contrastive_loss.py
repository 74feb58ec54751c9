"""Loss of pairs that belong together or not."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.pair_loss import contrastive_loss
from cnml.tensor import Shape


class ContrastiveLoss(Operator):
    """Distance of pairs that belong together, margin of those that do not.

    Parameters
    ----------
    margin : float
    legacy : bool
        The margin minus the squared distance.
    name : str
    """

    kind = "ContrastiveLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, margin: float = 1.0, legacy: bool = False, name: str = ""):
        super().__init__(name)
        self.margin, self.legacy = margin, legacy

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; rows of equal length, one similarity for each."""
        a, b, y = inputs
        expect(a[1:2] == b[1:2], self, f"features {a} and {b}", "both must have the same number of channels")
        expect(prod(a[2:]) == 1 and prod(b[2:]) == 1, self, f"features {a} and {b}", "height and width must be 1")
        expect(prod(y[1:]) == 1, self, f"similarities {y}", "there must be one value an item")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        return [contrastive_loss(inputs[0], inputs[1], inputs[2], self.margin, self.legacy)]

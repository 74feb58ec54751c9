"""Fast R-CNN's box loss."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.smooth_l1_loss import smooth_l1_loss
from cnml.tensor import Shape, count


class SmoothL1Loss(Operator):
    """Inputs: predictions, targets, and inside and outside weights or neither. Output: a scalar.

    Parameters
    ----------
    sigma : float
    name : str
    """

    kind = "SmoothL1Loss"
    results = "kept"
    host_reason = "losses are not a hot path"

    def __init__(self, sigma: float, name: str = ""):
        super().__init__(name)
        self.sigma = sigma

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """All inputs have as many elements."""
        expect(len(inputs) in (2, 4), self, f"{len(inputs)} inputs", "it takes two, or four with weights")
        expect(all(count(s) == count(inputs[0]) for s in inputs) and len(inputs[0]) > 0, self, f"inputs {inputs}",
               "all must have the same number of elements")
        expect(self.sigma > 0, self, f"sigma {self.sigma}", "it must be positive")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.smooth_l1_loss`."""
        return [np.array(smooth_l1_loss(inputs, self.sigma))]

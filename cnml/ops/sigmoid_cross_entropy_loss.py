"""Cross entropy of logistic outputs."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.loss_normalizer import Normalization
from cnml.reference.pair_loss import sigmoid_cross_entropy_loss
from cnml.tensor import Shape


class SigmoidCrossEntropyLoss(Operator):
    """Cross entropy of logistic outputs with targets in 0..1.

    Parameters
    ----------
    ignore : int or None
        Targets with this integer part do not count.
    normalization : Normalization
    name : str
    """

    kind = "SigmoidCrossEntropyLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, ignore: int | None, normalization: Normalization, name: str = ""):
        super().__init__(name)
        self.ignore, self.normalization = ignore, normalization

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; equal counts."""
        expect(prod(inputs[0]) == prod(inputs[1]), self, f"inputs {inputs[0]} and {inputs[1]}",
               f"they have {prod(inputs[0])} and {prod(inputs[1])} values; the counts must be equal")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        return [sigmoid_cross_entropy_loss(inputs[0], inputs[1], self.ignore, self.normalization)]

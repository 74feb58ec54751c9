"""Cross entropy of a softmax."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.labels import check_labels
from cnml.reference.loss_normalizer import Normalization
from cnml.reference.softmax_loss import softmax_loss
from cnml.tensor import Shape


class SoftmaxLoss(Operator):
    """Mean of -log(softmax(x)[label]).

    Parameters
    ----------
    axis : int
        Canonical axis of the classes.
    ignore : int or None
        Label that does not count.
    normalization : Normalization
    name : str
    """

    kind = "SoftmaxLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, axis: int, ignore: int | None, normalization: Normalization, name: str = ""):
        super().__init__(name)
        self.axis, self.ignore, self.normalization = axis, ignore, normalization

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; one label for each line along the axis."""
        x, y = inputs[0], inputs[1]
        lines = prod(x[:self.axis]) * prod(x[self.axis + 1:])
        expect(prod(y) == lines, self, f"scores {x} and labels {y}",
               f"there are {lines} predictions along axis {self.axis} and {prod(y)} labels; the numbers must be equal")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.softmax_loss`."""
        check_labels(self, inputs[1], inputs[0].shape[self.axis], self.ignore)
        return [softmax_loss(inputs[0], inputs[1], self.axis, self.ignore, self.normalization)]

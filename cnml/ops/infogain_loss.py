"""Information gain of a softmax under a matrix of gains."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.labels import check_labels
from cnml.reference.loss_normalizer import Normalization
from cnml.reference.softmax_loss import infogain_loss
from cnml.tensor import Shape


class InfogainLoss(Operator):
    """Mean of -sum H[label, l] log(softmax(x)[l]); inputs x, labels, and H unless it is given here.

    Parameters
    ----------
    axis : int
        Canonical axis of the classes.
    matrix : ndarray or None
        H; None: the third input.
    ignore : int or None
        Label that does not count.
    normalization : Normalization
    probabilities : bool
        A second output with the softmax.
    name : str
    """

    kind = "InfogainLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def __init__(self, axis: int, matrix: np.ndarray | None, ignore: int | None, normalization: Normalization, probabilities: bool = False,
                 name: str = ""):
        super().__init__(name)
        self.axis, self.matrix, self.ignore, self.normalization, self.probabilities = axis, matrix, ignore, normalization, probabilities

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar, and x's shape; one label a line and a square matrix over the classes."""
        x, y = inputs[0], inputs[1]
        lines, classes = prod(x[:self.axis]) * prod(x[self.axis + 1:]), x[self.axis]
        expect(prod(y) == lines, self, f"scores {x} and labels {y}",
               f"there are {lines} predictions along axis {self.axis} and {prod(y)} labels; the numbers must be equal")
        h = inputs[2] if self.matrix is None else self.matrix.shape
        expect(prod(h) == classes * classes, self, f"{classes} classes and an infogain matrix of shape {tuple(h)}",
               f"the matrix must have {classes} x {classes} values")
        return [(), x] if self.probabilities else [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.softmax_loss`."""
        check_labels(self, inputs[1], inputs[0].shape[self.axis], self.ignore)
        h = inputs[2] if self.matrix is None else self.matrix
        loss, p = infogain_loss(inputs[0], inputs[1], h, self.axis, self.ignore, self.normalization)
        return [loss, p] if self.probabilities else [loss]

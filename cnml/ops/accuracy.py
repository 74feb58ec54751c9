"""Share of right classifications."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.labels import check_labels
from cnml.reference.accuracy import accuracy
from cnml.tensor import Shape


class Accuracy(Operator):
    """Share of outputs whose label is among the best scores.

    Parameters
    ----------
    axis : int
        Canonical axis of the classes.
    top_k : int
    ignore : int or None
        Label that does not count.
    per_class : bool
        A second output with the share of each class.
    name : str
    """

    kind = "Accuracy"
    results = "kept"
    host_reason = "counts hits when testing; no part of a prediction"

    def __init__(self, axis: int, top_k: int = 1, ignore: int | None = None, per_class: bool = False, name: str = ""):
        super().__init__(name)
        self.axis, self.top_k, self.ignore, self.per_class = axis, top_k, ignore, per_class

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar, and one value a class."""
        x, y = inputs
        classes, lines = x[self.axis], prod(x[:self.axis]) * prod(x[self.axis + 1:])
        per_label = prod(x) // max(prod(y), 1)
        expect(self.top_k <= per_label, self, f"top_k {self.top_k}", f"there are {per_label} classes; top_k must not be larger")
        expect(prod(y) == lines, self, f"scores {x} and labels {y}",
               f"there are {lines} predictions along axis {self.axis} and {prod(y)} labels; the numbers must be equal")
        return [(), (classes,)] if self.per_class else [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.accuracy`."""
        check_labels(self, inputs[1], inputs[0].shape[self.axis], self.ignore)
        overall, each = accuracy(inputs[0], inputs[1], self.axis, self.top_k, self.ignore)
        return [overall, each] if self.per_class else [overall]

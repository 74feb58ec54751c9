"""The logarithm of the softmax."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.log_softmax import log_softmax
from cnml.tensor import Shape


class LogSoftmax(Operator):
    """y = x - max - log(sum of exp(x - max)) along `axis`.

    Parameters
    ----------
    axis : int
        Canonical.
    name : str
    """

    kind = "LogSoftmax"
    host_reason = "Caffe has no such layer"

    def __init__(self, axis: int, name: str = ""):
        super().__init__(name)
        self.axis = axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(0 <= self.axis < len(inputs[0]), self, f"axis {self.axis}", f"the input has {len(inputs[0])} axes")
        expect(inputs[0][self.axis] > 0, self, f"input {inputs[0]}", f"axis {self.axis} must have an element")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.log_softmax`."""
        return [log_softmax(inputs[0], self.axis)]

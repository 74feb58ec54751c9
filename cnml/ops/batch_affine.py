"""Normalization by the statistics of the batch."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.batch_affine import batch_affine
from cnml.tensor import Shape, count


class BatchAffine(Operator):
    """y = scale[c] * (x - mean) / (standard deviation + eps) + shift[c] with the batch's own statistics.

    Parameters: scale and shift of C elements.

    Parameters
    ----------
    eps : float
    name : str
    """

    kind = "BatchAffine"
    host_reason = "SegNet's mode LEARN belongs to training"

    def __init__(self, eps: float, name: str = ""):
        super().__init__(name)
        self.eps = eps

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(len(inputs[0]) >= 2, self, f"input {inputs[0]}", "it needs a batch and a channel axis")
        expect(all(count(p) == inputs[0][1] for p in parameters), self, f"parameters {parameters}",
               f"each needs one value for each of the {inputs[0][1]} channels")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.batch_affine`."""
        return [batch_affine(inputs[0], parameters[0], parameters[1], self.eps)]

"""Items of a batch in a new order."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import CnmlError, expect
from cnml.operator import Operator
from cnml.reference.selection import batch_reindex
from cnml.tensor import Shape


class BatchReindex(Operator):
    """y[i] = x[index[i]]; inputs x and the indices."""

    kind = "BatchReindex"
    results = "selected"
    host_reason = "a gather of whole items that may find an index out of range"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """As many items as indices."""
        expect(len(inputs[1]) == 1, self, f"indices of shape {inputs[1]}", "they must have exactly one axis")
        expect(len(inputs[0]) >= 1, self, f"input {inputs[0]}", "it must have a batch axis")
        return [(inputs[1][0], *inputs[0][1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection`."""
        x, index = inputs
        chosen = np.trunc(index)
        bad = ~((chosen >= 0) & (chosen < len(x)))
        if bad.any():
            at = int(np.argmax(bad))
            raise CnmlError(f"BatchReindex '{self.name}': index {at} is {index[at]:g}; the batch has {len(x)} items, "
                            f"so indices must be in 0..{len(x) - 1}")
        return [batch_reindex(x, index)]

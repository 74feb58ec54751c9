"""Items of a batch that are wanted."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.selection import filter_items
from cnml.tensor import Shape


class Filter(Operator):
    """The items whose selector (last input) is not 0, of all other inputs."""

    kind = "Filter"
    results = "selected"
    dynamic = True
    host_reason = "the output's shape depends on the data"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The full batch is assumed."""
        *data, selector = inputs
        expect(len(selector) >= 1 and all(d == 1 for d in selector[1:]), self, f"selector {selector}", "all axes but the first must have extent 1")
        for s in data:
            expect(s[:1] == selector[:1], self, f"input {s} and selector {selector}", "both must have the same number of items")
        return data

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection`."""
        return [filter_items(x, inputs[-1]) for x in inputs[:-1]]

"""Operators whose result depends on values of a tensor: positions of what is not 0, gathers, the largest elements."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.selection_by_value import compress, gather, largest, nonzero_positions
from cnml.tensor import Shape


class NonzeroPositions(Operator):
    """Flat positions of the elements that are not 0, in C order, zeros behind them; second output: how many, (1, 1, 1, 1)."""

    kind = "NonzeroPositions"
    results = "kept"
    host_reason = "how many positions there are depends on the data"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The input's shape, and one number."""
        return [inputs[0], (1, 1, 1, 1)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection_by_value`."""
        positions, count = nonzero_positions(inputs[0])
        return [positions.reshape(inputs[0].shape), np.full((1, 1, 1, 1), count, np.float64)]


class Compress(Operator):
    """The elements of the second input where the first is not 0, zeros behind them; second output: how many, (1, 1, 1, 1)."""

    kind = "Compress"
    results = "kept"
    host_reason = "how many elements there are depends on the data"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Both inputs have one shape."""
        condition, x = inputs
        expect(condition == x, self, f"condition {condition} and values {x}", "both must have the same shape")
        return [x, (1, 1, 1, 1)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection_by_value`."""
        values, count = compress(*inputs)
        return [values.reshape(inputs[1].shape), np.full((1, 1, 1, 1), count, np.float64)]


class Gather(Operator):
    """Slices of x along an axis, named by a tensor of indices; an index outside gives zeros.

    Parameters
    ----------
    axis : int
        Canonical.
    name : str
    """

    kind = "Gather"
    results = "selected"
    value_inputs = 1
    host_reason = "only the vendor's interface gathers along any axis; Caffe's Embed and BatchReindex have operators of their own"

    def __init__(self, axis: int, name: str = ""):
        super().__init__(name)
        self.axis = axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis becomes as long as there are indices."""
        x, index = inputs
        expect(0 <= self.axis < len(x), self, f"axis {self.axis}", f"the input has {len(x)} axes")
        expect(x[self.axis] > 0, self, f"input {x}", f"axis {self.axis} must have an element")
        return [(*x[:self.axis], int(np.prod(index, dtype=np.int64)), *x[self.axis + 1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection_by_value`."""
        return [gather(*inputs, self.axis)]


class Largest(Operator):
    """The k largest elements along an axis from high to low, and where they stand; of equal ones the first comes first.

    Parameters
    ----------
    k, axis : int
    name : str
    """

    kind = "Largest"
    results = "kept"
    host_reason = "sorting; Caffe's ArgMax has a kernel and another rule for equal elements"

    def __init__(self, k: int, axis: int, name: str = ""):
        super().__init__(name)
        self.k, self.axis = k, axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis becomes k, twice."""
        x = inputs[0]
        expect(0 <= self.axis < len(x), self, f"axis {self.axis}", f"the input has {len(x)} axes")
        expect(1 <= self.k <= x[self.axis], self, f"k {self.k}", f"it must be in 1..{x[self.axis]}, the extent of axis {self.axis}")
        return [(*x[:self.axis], self.k, *x[self.axis + 1:])] * 2

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.selection_by_value`."""
        return list(largest(inputs[0], self.k, self.axis))

"""Reductions of one axis, which keeps the extent 1."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.axis_reduction import FUNCTIONS, POSITIONS, axis_position, axis_reduction
from cnml.tensor import Shape


def _check(op: Operator, function: str, axis: int, shape: Shape, known: Sequence[str]) -> None:
    expect(function in known, op, f"function '{function}'", f"it must be one of {', '.join(known)}")
    expect(0 <= axis < len(shape), op, f"axis {axis}", f"the input has {len(shape)} axes")
    expect(shape[axis] > 0, op, f"input {shape}", f"axis {axis} must have an element")


class AxisReduction(Operator):
    """The largest, smallest, sum, mean or norm along one axis, which stays with the extent 1.

    Parameters
    ----------
    function : {"max", "min", "sum", "mean", "norm"}
    axis : int
        Canonical.
    name : str
    """

    kind = "AxisReduction"
    host_reason = "Caffe's nets reduce through Pooling, Reduction and Eltwise; only the vendor's interface reduces one axis"

    def __init__(self, function: str, axis: int, name: str = ""):
        super().__init__(name)
        self.function, self.axis = function, axis
        if function in POSITIONS:
            self.results = "selected"  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis becomes 1."""
        _check(self, self.function, self.axis, inputs[0], tuple(FUNCTIONS))
        return [(*inputs[0][:self.axis], 1, *inputs[0][self.axis + 1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.axis_reduction`."""
        return [axis_reduction(inputs[0], self.function, self.axis)]


class AxisPosition(Operator):
    """Where along an axis the largest or smallest element stands, the first of equal ones.

    Parameters
    ----------
    function : {"max", "min"}
    axis : int
        Canonical.
    name : str
    """

    kind = "AxisPosition"
    results = "kept"
    host_reason = "Caffe's ArgMax has a kernel; this one differs in which of equal elements it names"

    def __init__(self, function: str, axis: int, name: str = ""):
        super().__init__(name)
        self.function, self.axis = function, axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis becomes 1."""
        _check(self, self.function, self.axis, inputs[0], tuple(POSITIONS))
        return [(*inputs[0][:self.axis], 1, *inputs[0][self.axis + 1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.axis_reduction`."""
        return [axis_position(inputs[0], self.function, self.axis)]

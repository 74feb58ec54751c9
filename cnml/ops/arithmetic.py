"""Sums, differences and products of two tensors."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator, follow_layouts
from cnml.reference.arithmetic import arithmetic, axpy, channel_arithmetic
from cnml.tensor import Layout, Shape, Tensor, count

CODES = {"add": 0, "sub": 1, "mul": 2}


class Arithmetic(Operator):
    """y = a + b, a - b or a * b on equal shapes.

    Parameters
    ----------
    function : {"add", "sub", "mul"}
    name : str
    """

    kind = "Arithmetic"
    inplace = True

    def __init__(self, function: str, name: str = ""):
        super().__init__(name)
        self.function = function

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Both shapes are equal."""
        expect(inputs[0] == inputs[1], self, f"inputs {inputs[0]} and {inputs[1]}", "both must have the same shape")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.arithmetic`."""
        return [arithmetic(self.function, *inputs)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any common layout."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        emit.call("arithmetic_f32", *inputs, outputs[0], inputs[0].count, CODES[self.function])


class ChannelArithmetic(Operator):
    """y[n, c, …] = x[n, c, …] combined with v[n, c] or v[0, c].

    Parameters
    ----------
    function : {"add", "sub", "mul"}
    name : str
    """

    kind = "ChannelArithmetic"
    inplace = True

    def __init__(self, function: str, name: str = ""):
        super().__init__(name)
        self.function = function

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """v has C or N * C elements."""
        x, v = inputs
        expect(len(x) >= 2, self, f"input {x}", "it needs a batch and a channel axis")
        expect(count(v) in (x[1], x[0] * x[1]), self, f"input {x} and values {v}", f"there must be {x[1]} values, or {x[0]} x {x[1]}")
        return [x]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.arithmetic`."""
        return [channel_arithmetic(self.function, *inputs)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """x as it lies; v is plain (its planes are single elements)."""
        return [given[0], Layout.PLAIN], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        x, v = inputs
        n, c = x.shape[:2]
        emit.call("channel_arithmetic_f32", x, v, outputs[0], n, c, count(x.shape[2:]), c if v.count == n * c else 0, CODES[self.function],
                  x.layout is Layout.NHWC)


class Axpy(Operator):
    """out[n, c, …] = a[n, c] * x[n, c, …] + y[n, c, …]."""

    kind = "Axpy"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """a has N * C elements; x and y have one shape."""
        a, x, y = inputs
        expect(len(x) >= 2 and x == y, self, f"inputs x {x} and y {y}", "both must have the same shape with batch and channels")
        expect(count(a) == x[0] * x[1] and a[:2] == x[:2], self, f"scale {a} for x {x}", f"it must be ({x[0]}, {x[1]}) or ({x[0]}, {x[1]}, 1, 1)")
        return [x]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.arithmetic`."""
        return [axpy(*inputs)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """x and y in a common layout, a plain."""
        common, out = follow_layouts(given[1:], shapes[1:])
        return [Layout.PLAIN, *common], out

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over memory."""
        x = inputs[1]
        emit.call("axpy_f32", *inputs, outputs[0], x.shape[0], x.shape[1], count(x.shape[2:]), x.layout is Layout.NHWC)

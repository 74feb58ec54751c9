"""Multiply by a factor that spans some axes, and add a shift."""
from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cnml.broadcast import bands, follows_channels, repeat, repeated, repeats
from cnml.emitter import Emitter
from cnml.epilogue import IDENTITY, Activation, Fold
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.scale import scale
from cnml.tensor import Layout, Shape, Tensor


def check_factor(op: Operator, what: str, x: Shape, axis: int, factor: Shape) -> None:
    """Refuse a factor whose shape is not x[axis:axis + len(factor)]."""
    expect(0 <= axis and axis + len(factor) <= len(x), op, f"a {what} of shape {factor} at axis {axis}", f"the input has only {len(x)} axes")
    for i, d in enumerate(factor):
        expect(d == x[axis + i], op, f"a {what} of shape {factor} at axis {axis}",
               f"its axis {i} is {d} and axis {axis + i} of the input {x} is {x[axis + i]}; they must be equal")


class Scale(Operator):
    """y = x * factor (+ shift), the factor having the shape x.shape[axis:axis + num_axes].

    The factor is the second input if there are two, else the first parameter; the shift is the last parameter.

    Parameters
    ----------
    axis : int
        First axis of the factor, canonical.
    num_axes : int
        How many axes it has (0: a scalar).
    bias_term : bool
        Whether there is a shift, of the factor's shape.
    name : str
    activation : Activation
        Applied to the result.

    Attributes
    ----------
    axis, num_axes, bias_term
        As given. A producer can apply it per channel when there is one input, axis 1 and num_axes 1 (parameters: factor, then shift).
    """

    kind = "Scale"
    inplace = True

    def __init__(self, axis: int, num_axes: int, bias_term: bool, name: str = "", activation: Activation = IDENTITY):
        super().__init__(name)
        self.axis = axis
        self.num_axes = num_axes
        self.bias_term = bias_term
        self.activation = activation

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        factors = [*inputs[1:], *parameters]
        expect(len(factors) == 1 + self.bias_term, self, f"{len(inputs)} inputs and {len(parameters)} parameters",
               "it takes a factor, as second input or first parameter, and with bias_term a shift")
        for what, shape in zip(("factor", "shift"), factors, strict=False):
            check_factor(self, what, inputs[0], self.axis, shape)
            expect(len(shape) == self.num_axes, self, f"a {what} of shape {shape}", f"it must have num_axes {self.num_axes} axes")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.scale`."""
        factors = [*inputs[1:], *parameters]
        return [self.activation.apply(scale(inputs[0], factors[0], self.axis, factors[1] if self.bias_term else None))]

    def takes_folds(self, shape: Shape) -> bool:
        """No: the factor may be a tensor, or span other axes."""
        return False

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> Scale:
        """This operator with an activation behind it."""
        return Scale(self.axis, self.num_axes, self.bias_term, self.name if name is None else name, activation or self.activation)

    def as_fold(self, shape: Shape, parameters: list[Shape]) -> Fold | None:
        """With one input and a factor along axis 1 an affine step per channel."""
        per_channel = (self.axis, self.num_axes) == (1, 1) and len(parameters) == 1 + self.bias_term
        return Fold("scale", len(parameters)) if parameters and per_channel else None

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """NHWC stays when the factor does not vary over the image."""
        stays = given[0] is Layout.NHWC and follows_channels(shapes[0], self.axis, self.num_axes)
        layout = Layout.NHWC if stays else Layout.PLAIN
        return [layout, *[Layout.PLAIN] * (len(given) - 1)], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        x, y = inputs[0], outputs[0]
        plan = bands(x.shape, x.layout, self.axis, self.num_axes)
        times = repeats(plan) if len(inputs) == 1 else 1
        factors = [*inputs[1:], *(emit.packed(("repeat", times), partial(repeat, times=times), p) for p in emit.parameters)]
        emit.call("factor_affine_f32" if self.bias_term else "factor_multiply_f32", x, *factors, y, x.count, *repeated(plan, times),
                  *self.activation.words())

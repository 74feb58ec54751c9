"""Add a shift that spans some axes."""
from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cnml.broadcast import bands, follows_channels, repeat, repeated, repeats
from cnml.emitter import Emitter
from cnml.epilogue import Fold
from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.scale import check_factor
from cnml.reference.scale import bias
from cnml.tensor import Layout, Shape, Tensor


class Bias(Operator):
    """y = x + shift, the shift having the shape x.shape[axis:axis + num_axes]: the second input if there are two, else the parameter.

    Parameters
    ----------
    axis : int
        First axis of the shift, canonical.
    num_axes : int
        How many axes it has (0: a scalar).
    name : str

    Attributes
    ----------
    axis, num_axes
        As given. A producer can apply it per channel when there is one input, axis 1 and num_axes 1.
    """

    kind = "Bias"
    inplace = True

    def __init__(self, axis: int, num_axes: int, name: str = ""):
        super().__init__(name)
        self.axis = axis
        self.num_axes = num_axes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        shifts = [*inputs[1:], *parameters]
        expect(len(shifts) == 1, self, f"{len(inputs)} inputs and {len(parameters)} parameters",
               "it takes one shift, as second input or as parameter")
        check_factor(self, "shift", inputs[0], self.axis, shifts[0])
        expect(len(shifts[0]) == self.num_axes, self, f"a shift of shape {shifts[0]}", f"it must have num_axes {self.num_axes} axes")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.scale`."""
        return [bias(inputs[0], [*inputs[1:], *parameters][0], self.axis)]

    def as_fold(self, shape: Shape, parameters: list[Shape]) -> Fold | None:
        """With one input and a shift along axis 1 an affine step per channel."""
        return Fold("bias", 1) if parameters and (self.axis, self.num_axes) == (1, 1) else None

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """NHWC stays when the shift does not vary over the image."""
        stays = given[0] is Layout.NHWC and follows_channels(shapes[0], self.axis, self.num_axes)
        layout = Layout.NHWC if stays else Layout.PLAIN
        return [layout, *[Layout.PLAIN] * (len(given) - 1)], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        x = inputs[0]
        plan = bands(x.shape, x.layout, self.axis, self.num_axes)
        times = repeats(plan) if len(inputs) == 1 else 1
        shift = inputs[1] if len(inputs) > 1 else emit.packed(("repeat", times), partial(repeat, times=times), emit.parameters[0])
        emit.call("factor_shift_f32", x, shift, outputs[0], x.count, *repeated(plan, times))

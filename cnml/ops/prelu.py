"""ReLU with learned slopes."""
from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cnml.broadcast import Bands, bands, repeat, repeated, repeats
from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.prelu import prelu
from cnml.tensor import Layout, Shape, Tensor, count


class PRelu(Operator):
    """y = max(x, 0) + slope * min(x, 0); the parameter holds one slope a channel, or one for all.

    Parameters
    ----------
    name : str
    """

    kind = "PRelu"
    inplace = True

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it must have at least 2 axes; axis 1 holds the channels")
        expect(count(parameters[0]) in (1, shape[1]), self, f"{count(parameters[0])} slopes",
               f"there must be one, or one for each of the {shape[1]} channels")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.prelu`."""
        return [prelu(inputs[0], parameters[0])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        slope = emit.parameters[0]
        x = inputs[0]
        plan = Bands(1, 1, 1, x.count) if count(slope.shape) == 1 else bands(x.shape, x.layout, 1, 1)
        times = repeats(plan)
        slopes = emit.packed(("repeat", times), partial(repeat, times=times), slope)
        emit.call("factor_prelu_f32", x, slopes, outputs[0], x.count, *repeated(plan, times))

"""Join tensors along an axis."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator, follow_layouts
from cnml.tensor import Layout, Shape, Tensor, count


def stored_axis(axis: int, layout: Layout) -> int:
    """Where a logical axis stands in memory."""
    return (0, 3, 1, 2)[axis] if layout is Layout.NHWC else axis


class Concat(Operator):
    """y = the inputs, one after the other along `axis`.

    Parameters
    ----------
    axis : int
        Canonical.
    name : str
    """

    kind = "Concat"
    results = "selected"

    def __init__(self, axis: int, name: str = ""):
        super().__init__(name)
        self.axis = axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The other axes are equal; extents along `axis` add up."""
        first = inputs[0]
        expect(0 <= self.axis < len(first), self, f"axis {self.axis}", f"the first input has {len(first)} axes")
        for i, shape in enumerate(inputs):
            same = len(shape) == len(first) and all(a == b for j, (a, b) in enumerate(zip(shape, first, strict=True)) if j != self.axis)
            expect(same, self, f"input {i} of shape {shape}", f"all axes but axis {self.axis} must be those of the first input, {first}")
        return [(*first[:self.axis], sum(s[self.axis] for s in inputs), *first[self.axis + 1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """numpy.concatenate."""
        return [np.concatenate(inputs, self.axis)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any common order will do."""
        return follow_layouts(given, shapes)

    def joins_channels(self) -> bool:
        """Along axis 1."""
        return self.axis == 1

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Copy every input into its columns of the output, unless its producer put it there."""
        if all(x.pitch for x in inputs):
            emit.note("written in place by its inputs")
            return
        y = outputs[0]
        axis = stored_axis(self.axis, y.layout)
        pieces = [word for x in inputs for word in (None if x.pitch else x, count(x.stored_shape[axis:]))]
        emit.call("concat_x32", y, count(y.stored_shape[:axis]), count(y.stored_shape[axis:]), len(inputs), *pieces)

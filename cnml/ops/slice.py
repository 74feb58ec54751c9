"""Cut a tensor along an axis."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.concat import stored_axis
from cnml.tensor import Layout, Shape, Tensor, count


class Slice(Operator):
    """Consecutive pieces of x along `axis`.

    Parameters
    ----------
    axis : int
        Canonical.
    sizes : sequence of int
        Extent of each piece; they add up to the input's.
    name : str
    """

    kind = "Slice"
    results = "selected"

    def __init__(self, axis: int, sizes: Sequence[int], name: str = ""):
        super().__init__(name)
        self.axis = axis
        self.sizes = tuple(sizes)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """One output for each size."""
        shape = inputs[0]
        expect(0 <= self.axis < len(shape), self, f"axis {self.axis}", f"the input has {len(shape)} axes")
        expect(min(self.sizes) >= 0 and sum(self.sizes) == shape[self.axis], self, f"sizes {self.sizes}",
               f"they must add up to {shape[self.axis]}, axis {self.axis} of the input {shape}")
        return [(*shape[:self.axis], size, *shape[self.axis + 1:]) for size in self.sizes]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """numpy.split."""
        return np.split(inputs[0], np.cumsum(self.sizes)[:-1], self.axis)

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return [given[0]], [given[0]]

    def cuts_channels(self) -> bool:
        """Along axis 1."""
        return self.axis == 1

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Copy every output from its columns of the input, unless its readers read it there."""
        if all(y.pitch for y in outputs):
            emit.note("read in place by its readers")
            return
        x = inputs[0]
        axis = stored_axis(self.axis, x.layout)
        pieces = [word for y in outputs for word in (None if y.pitch else y, count(y.stored_shape[axis:]))]
        emit.call("slice_x32", x, count(x.stored_shape[:axis]), count(x.stored_shape[axis:]), len(outputs), *pieces)

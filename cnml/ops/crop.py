"""Take a box out of a tensor."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.tensor import Layout, Shape, Tensor, count


class Crop(Operator):
    """y = x[offsets : offsets + sizes].

    Parameters
    ----------
    offsets, sizes : sequence of int
        One each for every axis.
    name : str
    """

    kind = "Crop"
    results = "selected"

    def __init__(self, offsets: Sequence[int], sizes: Sequence[int], name: str = ""):
        super().__init__(name)
        self.offsets = tuple(offsets)
        self.sizes = tuple(sizes)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The box lies inside the input."""
        shape = inputs[0]
        expect(len(shape) == len(self.offsets) == len(self.sizes), self, f"{len(self.offsets)} offsets and {len(self.sizes)} sizes",
               f"there must be one for each axis of the input {shape}")
        for axis, (have, offset, size) in enumerate(zip(shape, self.offsets, self.sizes, strict=True)):
            expect(0 <= offset and offset + size <= have, self, f"size {size} at offset {offset} of axis {axis}",
                   f"the input {shape} has only {have} there")
        return [self.sizes]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """A slice on every axis."""
        return [inputs[0][tuple(slice(o, o + s) for o, s in zip(self.offsets, self.sizes, strict=True))]]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Copy runs; more than four axes that are cut go to the host."""
        x, order = inputs[0], ((0, 2, 3, 1) if inputs[0].layout is Layout.NHWC else range(len(self.sizes)))
        axes = merged([(x.shape[a], self.offsets[a], self.sizes[a]) for a in order])
        if len(axes) > 4:
            emit.host(self)
            emit.note(f"host: {len(axes)} separate axes; the kernel takes 4")
            return
        have, offsets, sizes = zip(*([(1, 0, 1)] * (4 - len(axes)) + axes), strict=True)
        strides = [count(have[a + 1:]) for a in range(4)]
        first = sum(o * s for o, s in zip(offsets, strides, strict=True))
        emit.call("crop_x32", x, outputs[0], first, *sizes, *strides[:3])


def merged(axes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(extent, offset, size) per axis with every whole axis merged into the one before it."""
    result: list[tuple[int, int, int]] = []
    for extent, offset, size in axes:
        if result and size == extent:
            e, o, s = result.pop()
            result.append((e * extent, o * extent, s * extent))
        else:
            result.append((extent, offset, size))
    return result

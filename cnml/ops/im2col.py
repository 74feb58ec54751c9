"""Unfolding of the windows of a convolution, as an operator of its own."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.im2col import im2col
from cnml.tensor import Shape, count


class Im2col(Operator):
    """Every window of an image as a column: (N, C, …) → (N, C * prod(kernel), *out).

    Parameters
    ----------
    axis : int
        The channels; axes before it are batch, after it spatial.
    kernel, stride, pad, dilation : sequence of int
        One for each spatial axis.
    name : str
    """

    kind = "Im2col"
    results = "selected"
    host_reason = "convolutions do not go through it here, and no deployed network has it as a layer"

    def __init__(self, axis: int, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int], name: str = ""):
        super().__init__(name)
        self.axis = axis
        self.kernel = tuple(kernel)
        self.stride = tuple(stride)
        self.pad = tuple(pad)
        self.dilation = tuple(dilation)

    def _out(self, shape: Shape) -> Shape:
        extents = (d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        # int() of the quotient: C rounds a negative room towards zero
        spatial = zip(shape[self.axis + 1:], self.pad, extents, self.stride, strict=True)
        return tuple(int((size + 2 * p - extent) / s) + 1 for size, p, extent, s in spatial)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Caffe's convolution arithmetic."""
        shape = inputs[0]
        spatial = len(shape) - self.axis - 1
        for what, values in (("kernel", self.kernel), ("stride", self.stride), ("pad", self.pad), ("dilation", self.dilation)):
            expect(len(values) == spatial, self, f"{what} {values}", f"the input {shape} has {spatial} spatial axes after axis {self.axis}")
            expect(min(values, default=1) >= (0 if what == "pad" else 1), self, f"{what} {values}",
                   "it must be positive" if what != "pad" else "it must not be negative")
        return [(*shape[:self.axis], shape[self.axis] * count(self.kernel), *self._out(shape))]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.im2col`."""
        return [im2col(inputs[0], self.axis, self._out(inputs[0].shape), self.kernel, self.stride, self.pad, self.dilation)]

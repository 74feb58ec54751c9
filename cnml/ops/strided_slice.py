"""Every n-th element of a range on each axis."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.strided_slice import strided_slice
from cnml.tensor import Shape


class StridedSlice(Operator):
    """y = x[begin:end:stride] on each axis, numbers as in Python.

    Parameters
    ----------
    begin, end, stride : sequence of int
        One number an axis; strides are positive.
    name : str
    """

    kind = "StridedSlice"
    results = "selected"
    host_reason = "Caffe's Slice and Crop have kernels; steps beyond 1 exist only in the vendor's interface"

    def __init__(self, begin: Sequence[int], end: Sequence[int], stride: Sequence[int], name: str = ""):
        super().__init__(name)
        self.begin, self.end, self.stride = tuple(begin), tuple(end), tuple(stride)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """As many elements as the range holds."""
        x = inputs[0]
        expect(len(x) == len(self.begin) == len(self.end) == len(self.stride), self, f"begin {self.begin}, end {self.end}, stride {self.stride}",
               f"there must be one number for each axis of the input {x}")
        expect(min(self.stride) > 0, self, f"stride {self.stride}", "it must be positive")
        out = tuple(len(range(d)[b:e:s]) for d, b, e, s in zip(x, self.begin, self.end, self.stride, strict=True))
        expect(min(out) > 0, self, f"input {x}, begin {self.begin} and end {self.end}", "every axis must keep an element")
        return [out]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.strided_slice`."""
        return [strided_slice(inputs[0], self.begin, self.end, self.stride)]

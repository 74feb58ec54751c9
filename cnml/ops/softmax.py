"""Softmax along one axis."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.kernels.softmax_plan import softmax_kernel, softmax_scratch
from cnml.operator import Operator
from cnml.reference.softmax import softmax
from cnml.tensor import Layout, Shape, Tensor, count


class Softmax(Operator):
    """y = exp(x - max) / sum along `axis`.

    Parameters
    ----------
    axis : int
        Canonical (not negative).
    name : str
    """

    kind = "Softmax"

    def __init__(self, axis: int, name: str = ""):
        super().__init__(name)
        self.axis = axis

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(0 <= self.axis < len(inputs[0]), self, f"axis {self.axis}", f"the input has {len(inputs[0])} axes")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.softmax`."""
        return [softmax(inputs[0], self.axis)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Over the channels of an image NHWC is the contiguous order."""
        if given[0] is Layout.NHWC and self.axis == 1:
            return [Layout.NHWC], [Layout.NHWC]
        return [Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over (outer, n, inner)."""
        shape = inputs[0].stored_shape
        axis = 3 if inputs[0].layout is Layout.NHWC else self.axis
        outer, n, inner = count(shape[:axis]), shape[axis], count(shape[axis + 1:])
        emit.call(softmax_kernel(n, inner), inputs[0], outputs[0], outer, n, inner, emit.scratch(softmax_scratch(n, inner)))

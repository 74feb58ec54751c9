"""Indices of the largest values."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.arg_max import arg_max
from cnml.tensor import Layout, Shape, Tensor

#: an insertion sort of this many is still quicker than sorting the whole line
LONGEST = 64


class ArgMax(Operator):
    """The `k` largest values' indices, values, or both; of equal values the larger index comes first.

    Parameters
    ----------
    k : int
    axis : int or None
        Canonical; None: over all axes from 1 on.
    values : bool
        With an axis: values instead of indices. Without: both.
    name : str
    """

    kind = "ArgMax"
    results = "kept"

    def __init__(self, k: int = 1, axis: int | None = None, values: bool = False, name: str = ""):
        super().__init__(name)
        self.k, self.axis, self.values = k, axis, values

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """k along the axis, or (N, 1 or 2, k) with ones up to the input's number of axes."""
        x = inputs[0]
        length = prod(x[1:]) if self.axis is None else x[self.axis]
        expect(1 <= self.k <= length, self, f"top_k {self.k}", f"it must be in 1..{length}, the number of values compared")
        if self.axis is not None:
            return [(*x[:self.axis], self.k, *x[self.axis + 1:])]
        return [(x[0], 2 if self.values else 1, self.k) + (1,) * max(0, len(x) - 3)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.arg_max`."""
        return [arg_max(inputs[0], self.k, self.axis, self.values)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Over the channels of an image NHWC is the contiguous order."""
        if given[0] is Layout.NHWC and self.axis == 1:
            return [Layout.NHWC], [Layout.NHWC]
        return [Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over (outer, n, inner); large k sorts on the host."""
        if self.k > LONGEST:
            emit.note(f"host: top_k above {LONGEST} sorts whole lines")
            emit.host(self)
            return
        shape = inputs[0].stored_shape
        if self.axis is None:
            outer, n, inner, mode = shape[0], prod(shape[1:]), 1, 2 if self.values else 0
        else:
            axis = 3 if inputs[0].layout is Layout.NHWC else self.axis
            outer, n, inner, mode = prod(shape[:axis]), shape[axis], prod(shape[axis + 1:]), int(self.values)
        if self.k == 1:
            emit.call("arg_max_f32", inputs[0], outputs[0], outer, n, inner, mode, emit.scratch(4 * 1024))
        else:
            emit.call("arg_max_k_f32", inputs[0], outputs[0], outer, n, inner, self.k, mode, emit.scratch(8 * self.k))

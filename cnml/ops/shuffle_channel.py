"""ShuffleNet's channel shuffle."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.permute import copy_table
from cnml.reference.shuffle_channel import shuffle_channel
from cnml.tensor import Layout, Shape, Tensor, count


class ShuffleChannel(Operator):
    """y[:, j * group + g] = x[:, g * (C / group) + j].

    Parameters
    ----------
    group : int
    name : str
    """

    kind = "ShuffleChannel"
    results = "selected"

    def __init__(self, group: int, name: str = ""):
        super().__init__(name)
        self.group = group

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays; the group divides the channels."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it needs a batch and a channel axis")
        expect(self.group > 0 and shape[1] % self.group == 0, self, f"group {self.group} on {shape[1]} channels",
               "the group must divide the channels")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.shuffle_channel`."""
        return [shuffle_channel(inputs[0], self.group)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """A strided copy of (images or pixels, group, C / group, inner)."""
        x = inputs[0]
        n, c = x.shape[:2]
        inner = count(x.shape[2:])
        nhwc = x.layout is Layout.NHWC
        outer, inner = (n * inner, 1) if nhwc else (n, inner)
        per = c // self.group
        # output axes (outer, C / group, group, inner) read from (outer, group, C / group, inner)
        extents, strides = [outer, per, self.group, inner], [c * inner, inner, per * inner, 1]
        if inner == 1:
            extents, strides = extents[:3], strides[:3]
        emit.call("permute_x32", x, outputs[0], copy_table(extents, strides))

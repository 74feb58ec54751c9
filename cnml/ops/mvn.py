"""Mean-variance normalisation."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.mvn import mvn
from cnml.tensor import Layout, Shape, Tensor


class MVN(Operator):
    """(x - mean) / (sqrt(var) + eps) per item and channel, or per item.

    Parameters
    ----------
    across_channels : bool
    normalize_variance : bool
        False only takes the mean away.
    eps : float
    name : str
    """

    kind = "MVN"
    inplace = True

    def __init__(self, across_channels: bool = False, normalize_variance: bool = True, eps: float = 1e-9, name: str = ""):
        super().__init__(name)
        self.across_channels, self.normalize_variance, self.eps = across_channels, normalize_variance, eps

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays; at most four axes."""
        expect(len(inputs[0]) <= 4, self, f"input {inputs[0]}", "it must have at most four axes (items, channels, rows, columns)")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.mvn`."""
        return [mvn(inputs[0], self.across_channels, self.normalize_variance, self.eps)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Over a whole item the order does not matter; a channel's values lie together in PLAIN."""
        layout = given[0] if self.across_channels else Layout.PLAIN
        return [layout], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over (rows, columns)."""
        shape = inputs[0].shape
        lead = 1 if self.across_channels else 2
        emit.call("mvn_f32", inputs[0], outputs[0], prod(shape[:lead]), prod(shape[lead:]), int(self.normalize_variance), float(self.eps))

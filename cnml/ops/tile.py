"""Repetition along one axis."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.tile import tile
from cnml.tensor import Layout, Shape, Tensor


class Tile(Operator):
    """`tiles` copies of x behind one another along `axis`.

    Parameters
    ----------
    axis : int
        Canonical.
    tiles : int
    name : str
    """

    kind = "Tile"
    results = "selected"

    def __init__(self, axis: int, tiles: int, name: str = ""):
        super().__init__(name)
        self.axis, self.tiles = axis, tiles

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The axis grows."""
        expect(self.tiles > 0, self, f"{self.tiles} tiles", "there must be at least one")
        x = inputs[0]
        return [(*x[:self.axis], x[self.axis] * self.tiles, *x[self.axis + 1:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.tile`."""
        return [tile(inputs[0], self.axis, self.tiles)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Copies blocks in any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over (outer, block)."""
        shape = inputs[0].stored_shape
        axis = (0, 3, 1, 2)[self.axis] if inputs[0].layout is Layout.NHWC else self.axis
        emit.call("tile_x32", inputs[0], outputs[0], prod(shape[:axis]), prod(shape[axis:]), self.tiles)

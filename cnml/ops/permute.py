"""Permutation of axes, free where NHWC memory already has the wanted order."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.permute import permute
from cnml.tensor import Layout, Shape, Tensor

CHANNELS_LAST = (0, 2, 3, 1)
CHANNELS_FIRST = (0, 3, 1, 2)
MAX_AXES = 6


class Permute(Operator):
    """y's axis i is x's axis `order[i]`.

    The orders (0, 2, 3, 1) and (0, 3, 1, 2) only rename memory: the first reads NHWC bytes as a plain tensor, the second plain bytes as NHWC. Where
    the input does not lie so, the conversion of its layout is the permutation.

    Parameters
    ----------
    order : tuple of int
        Each axis once, not negative.
    name : str
    """

    kind = "Permute"
    results = "selected"

    def __init__(self, order: tuple[int, ...], name: str = ""):
        super().__init__(name)
        self.order = tuple(int(i) for i in order)
        self.view = self.order in (CHANNELS_LAST, CHANNELS_FIRST)  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The extents move with their axes."""
        ndim = len(inputs[0])
        expect(sorted(self.order) == list(range(ndim)), self, f"order {self.order} on the shape {inputs[0]}",
               f"it must name each of the axes 0..{ndim - 1} once")
        return [tuple(inputs[0][i] for i in self.order)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.permute`."""
        return [permute(inputs[0], self.order)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """NHWC on one side for the two free orders."""
        if self.order == CHANNELS_LAST:
            return [Layout.NHWC], [Layout.PLAIN]
        if self.order == CHANNELS_FIRST:
            return [Layout.PLAIN], [Layout.NHWC]
        return [Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One strided copy; more than six axes (after merging neighbours) run on the host."""
        extents, strides = merged_axes(inputs[0].shape, self.order)
        if len(extents) > MAX_AXES:
            emit.host(self)
            emit.note(f"{len(extents)} axes do not merge into {MAX_AXES}")
            return
        emit.call("permute_x32", inputs[0], outputs[0], copy_table(extents, strides))


def copy_table(extents: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """The table of kernel permute_x32 for a copy into C order.

    The axis along which the input is contiguous becomes the second innermost loop, so that the kernel can go through it in tiles.

    Parameters
    ----------
    extents : sequence of int
        Of the output, at most six.
    strides : sequence of int
        Of the input along the output's axes, in elements.

    Returns
    -------
    (18,) int64 ndarray
    """
    missing = MAX_AXES - len(extents)
    axes = [(1, 0, 0)] * missing
    out = 1
    for extent, stride in zip(reversed(extents), reversed(strides), strict=True):
        axes.insert(missing, (extent, stride, out))
        out *= extent
    *outer, last = axes
    if last[1] != 1:
        run = next((a for a in outer if a[1] == 1), None)
        if run is not None:
            outer.remove(run)
            outer.append(run)
    return np.array([*outer, last], np.int64).T.reshape(-1).copy()


def merged_axes(shape: Shape, order: Sequence[int]) -> tuple[list[int], list[int]]:
    """Output extents and the input's strides in elements, without axes of extent 1 and with axes that stay neighbours merged.

    Parameters
    ----------
    shape : tuple of int
        Of the input.
    order : sequence of int

    Returns
    -------
    extents, strides : list of int
        At least one axis.
    """
    steps = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        steps[i] = steps[i + 1] * shape[i + 1]
    extents: list[int] = []
    strides: list[int] = []
    for axis in order:
        if shape[axis] == 1:
            continue
        if extents and strides[-1] == steps[axis] * shape[axis]:
            extents[-1] *= shape[axis]
            strides[-1] = steps[axis]
        else:
            extents.append(shape[axis])
            strides.append(steps[axis])
    return (extents, strides) if extents else ([1], [1])

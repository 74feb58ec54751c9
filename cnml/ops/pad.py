"""Zero padding and cropping."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.pad import pad
from cnml.tensor import Layout, Shape, Tensor

MAX_AXES = 5


class Pad(Operator):
    """Elements put around each axis, or cut off where the number is negative.

    Parameters
    ----------
    before, after : tuple of int
        One number each axis.
    value : float
    name : str
    """

    kind = "Pad"

    def __init__(self, before: tuple[int, ...], after: tuple[int, ...], value: float = 0.0, name: str = ""):
        super().__init__(name)
        self.before, self.after, self.value = tuple(before), tuple(after), value

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Extents grow by their paddings."""
        shape = inputs[0]
        expect(len(shape) == len(self.before) == len(self.after), self, f"paddings {self.before} and {self.after} on {shape}",
               "there must be one a side for each axis")
        out = tuple(n + b + a for n, b, a in zip(shape, self.before, self.after, strict=True))
        expect(all(d >= 0 for d in out), self, f"paddings {self.before} and {self.after} on {shape}", "more would be cut off than there is")
        return [out]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pad`."""
        return [pad(inputs[0], self.before, self.after, self.value)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel for up to five axes in memory order."""
        x = inputs[0]
        if len(x.shape) > MAX_AXES:
            emit.host(self)
            return
        order = (0, 2, 3, 1) if x.layout is Layout.NHWC else tuple(range(len(x.shape)))
        ins, outs, before = [x.shape[i] for i in order], [outputs[0].shape[i] for i in order], [self.before[i] for i in order]
        while len(ins) > 1 and ins[-1] == outs[-1] and before[-1] == 0:
            # an axis that stays as it is joins the one around it: longer lines
            inner = ins.pop()
            outs.pop()
            before.pop()
            ins[-1], outs[-1], before[-1] = ins[-1] * inner, outs[-1] * inner, before[-1] * inner
        fill = MAX_AXES - len(ins)
        ins, outs, before = [1] * fill + ins, [1] * fill + outs, [0] * fill + before
        emit.call("pad_f32", x, outputs[0], np.array(ins + outs + before, np.int64), float(self.value))

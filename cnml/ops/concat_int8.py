"""Join codes along the channels."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.tensor import Layout, Shape, Tensor


class ConcatInt8(Operator):
    """y = the inputs, one after the other along axis 1; all are codes of one kind.

    Parameters
    ----------
    codes : Codes
    name : str
    """

    kind = "ConcatInt8"
    results = "kept"

    def __init__(self, codes: Codes, name: str = ""):
        super().__init__(name)
        self.codes = codes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Channels add up."""
        return [(inputs[0][0], sum(s[1] for s in inputs), *inputs[0][2:])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """numpy.concatenate."""
        return [np.concatenate(inputs, 1)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last."""
        return [Layout.NHWC] * len(given), [Layout.NHWC]

    def joins_channels(self) -> bool:
        """Always."""
        return True

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Copy what its producer could not put into its place."""
        if all(x.pitch for x in inputs):
            emit.note("written in place by its inputs")
            return
        y = outputs[0]
        pieces = [word for x in inputs for word in (None if x.pitch else x, x.shape[1], x.width)]
        emit.call("concat_x8", y, y.pixels, y.width, len(inputs), *pieces)

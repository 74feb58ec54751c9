"""Pooling of codes."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.ops.pool import Pool
from cnml.reference.codes import decode, encode
from cnml.tensor import Layout, Shape, Tensor


class PoolInt8(Operator):
    """MAX or AVE pooling of codes.

    Parameters
    ----------
    source : Pool
        Without a mask.
    data : Codes
        Of the input.
    codes : Codes or None
        Of the result; those of the input for MAX, None for float32.
    """

    kind = "PoolInt8"
    results = "computed"
    value_inputs = 0
    strided_input = True
    strided_output = True

    def __init__(self, source: Pool, data: Codes, codes: Codes | None):
        super().__init__(source.name)
        self.source, self.data, self.codes = source, data, codes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """As in floats."""
        return self.source.reshape(inputs, parameters)

    def ratio(self) -> float:
        """Units of the result in one of the input, a float32 value."""
        return float(np.float32(self.data.unit / (self.codes.unit if self.codes else 1.0)))

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """The greatest code of a window, or its average as in `cnml.reference.pool_int8`."""
        units = decode(inputs[0], self.data.zero)
        return [encode(self.source.reference([units], [])[0], self.data.least, self.data.most, self.data.zero)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last."""
        return [Layout.NHWC], [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the output."""
        emit.host(self)

"""Pooling of codes."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.ops.pool import Pair, Pool
from cnml.reference.codes import encode
from cnml.reference.pool_int8 import pool_ave_units, pool_max_codes
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

    def _geometry(self, shape: Shape) -> tuple[Pair, Pair, Pair, Pair]:
        """Output, kernel, stride and pad for an input of `shape`."""
        p = self.source
        return p.reshape([shape], [])[0][2:], p.window(shape), p.stride, p.pad  # type: ignore[return-value]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pool_int8`."""
        codes, geometry, c = inputs[0].transpose(0, 2, 3, 1), self._geometry(inputs[0].shape), self.codes
        if self.source.method == "MAX":
            y = pool_max_codes(codes, *geometry, empty=self.data.zero + self.data.least)
        else:
            y = pool_ave_units(codes, *geometry, zero=self.data.zero, ratio=self.ratio())
            y = encode(y, c.least, c.most, c.zero) if c else y
        return [y.transpose(0, 3, 1, 2)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last."""
        return [Layout.NHWC], [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the output."""
        x, y, c = inputs[0], outputs[0], self.codes
        n, channels, h, w = x.shape
        out, kernel, stride, pad = self._geometry(x.shape)
        words = (x, y, n, h, w, channels, *out, *kernel, *stride, *pad, x.pitch or x.width, (y.pitch or y.width) * y.item)
        if self.source.method == "MAX":
            emit.call("pool_max_x8", *words, self.data.zero + self.data.least)
        elif c is None:
            emit.call("pool_ave_x8_f32", *words, self.data.zero, self.ratio())
        else:
            emit.call("pool_ave_x8", *words, self.data.zero, self.ratio(), float(c.least), float(c.most), c.zero)

"""What interpolation, nearest upsampling and unpooling share: separable resampling with a few taps."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.resample import Taps, resample
from cnml.tensor import Layout, Shape, Tensor


class Resample(Operator):
    """Base of operators that make each output row and column of (N, C, H, W) from a few input rows and columns."""

    def taps(self, shape: Shape) -> tuple[Taps, Taps]:
        """Taps of rows and columns for one input shape (N, C, H, W)."""
        raise TypeError(f"{type(self).__name__} has no taps")

    def size(self, shape: Shape) -> tuple[int, int]:
        """Output height and width for one input shape; checks them."""
        raise TypeError(f"{type(self).__name__} has no output size")

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Four axes; batch and channels stay."""
        expect(len(inputs[0]) == 4, self, f"input {inputs[0]}", "it needs the four axes N, C, H, W")
        height, width = self.size(inputs[0])
        expect(height > 0 and width > 0, self, f"output {height} x {width}", "height and width must be positive")
        return [(inputs[0][0], inputs[0][1], height, width)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.resample`."""
        return [resample(inputs[0], *self.taps(inputs[0].shape))]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Works in the layout it finds; a further bottom only gives a shape."""
        return [given[0], *([Layout.PLAIN] * (len(given) - 1))], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel with the tap tables as constants."""
        rows, columns = self.taps(inputs[0].shape)
        tables = [np.ascontiguousarray(t) for taps in (rows, columns) for t in taps]
        n, c, h, w = inputs[0].shape
        oh, ow = outputs[0].shape[2:]
        if inputs[0].layout is Layout.NHWC:
            emit.call("resample_f32_nhwc", inputs[0], outputs[0], n, h, w, c, oh, ow, rows.index.shape[1], columns.index.shape[1], *tables)
        else:
            emit.call("resample_f32", inputs[0], outputs[0], n * c, h, w, 1, oh, ow, rows.index.shape[1], columns.index.shape[1], *tables)

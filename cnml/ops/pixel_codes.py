"""From the pixels of an image to the codes of their normalized values, in one pass."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.quantized import normalized_codes
from cnml.tensor import Layout, Shape, Tensor

PLANES = 4  # of a pixel that becomes one word


class PixelCodes(Operator):
    """y = codes of slope * x + bias per channel, of images of at most four channels; each operation is rounded to float32 by itself.

    Parameters: slope and bias of C elements each. It stands for a `ChannelAffine` whose only reader is a `Quantize`.

    Parameters
    ----------
    codes : Codes
    name : str
    """

    kind = "PixelCodes"
    results = "kept"
    strided_output = True

    def __init__(self, codes: Codes, name: str = ""):
        super().__init__(name)
        self.codes = codes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        shape = inputs[0]
        expect(len(shape) == 4 and 1 <= shape[1] <= PLANES, self, f"input {shape}", f"it takes images of 1 to {PLANES} channels")
        expect([int(np.prod(p)) for p in parameters] == [shape[1]] * 2, self, f"input {shape} and parameters {parameters}",
               "it takes a slope and a bias for each channel")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.quantized`."""
        c = self.codes
        with np.errstate(all="ignore"):
            return [normalized_codes(inputs[0], parameters[0], parameters[1], c.factor, c.least, c.most, c.zero)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Planes in, channels last out."""
        return [Layout.PLAIN], [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the planes."""
        n, channels, h, w = inputs[0].shape

        def pack(slope: np.ndarray, bias: np.ndarray) -> np.ndarray:
            table = np.zeros(2 * PLANES, np.float32)
            table[:channels], table[PLANES:PLANES + channels] = slope.reshape(-1), bias.reshape(-1)
            return table
        c, table = self.codes, emit.packed("pixel codes", pack, *emit.parameters)
        emit.call("pixel_codes_x8", inputs[0], outputs[0], table, n, channels, h * w, c.factor, float(c.least), float(c.most), c.zero)

"""From float32 to codes."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.reference.quantized import quantize
from cnml.tensor import Layout, Shape, Tensor

PLANES = 4  # so many channels of an image are taken as they lie in Caffe's order


class Quantize(Operator):
    """y = codes of x.

    Parameters
    ----------
    codes : Codes
    name : str
    """

    kind = "Quantize"
    results = "kept"
    strided_input = True
    strided_output = True

    def __init__(self, codes: Codes, name: str = ""):
        super().__init__(name)
        self.codes = codes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.quantized`."""
        c = self.codes
        with np.errstate(all="ignore"):
            return [quantize(inputs[0], c.factor, c.least, c.most, c.zero)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last; a few channels are read in Caffe's order."""
        if len(shapes[0]) != 4:
            return [Layout.PLAIN], [Layout.PLAIN]
        plain = given[0] is Layout.PLAIN and shapes[0][1] <= PLANES
        return [Layout.PLAIN if plain else Layout.NHWC], [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        x, y, c = inputs[0], outputs[0], self.codes
        if x.layout is Layout.PLAIN and len(x.shape) == 4:
            n, channels, h, w = x.shape
            emit.call("quantize_planes_x8", x, y, n, channels, h * w, c.factor, float(c.least), float(c.most), c.zero)
        else:
            emit.call("quantize_x8", x, y, x.pixels, x.shape[1], 4 * (x.pitch or x.width), y.pitch or y.width, c.factor, float(c.least),
                      float(c.most), c.zero)

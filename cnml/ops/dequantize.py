"""From codes to float32."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.operator import Operator
from cnml.reference.quantized import dequantize
from cnml.tensor import Layout, Shape, Tensor


class Dequantize(Operator):
    """y = (codes - zero) * unit.

    Parameters
    ----------
    codes : Codes
    name : str
    """

    kind = "Dequantize"
    results = "computed"
    value_inputs = 0
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
        return [dequantize(inputs[0], self.codes.unit, self.codes.zero)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last, as codes lie."""
        layout = Layout.NHWC if len(shapes[0]) == 4 else Layout.PLAIN
        return [layout], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        x, y = inputs[0], outputs[0]
        emit.call("dequantize_x8", x, y, x.pixels, x.shape[1], x.pitch or x.width, 4 * (y.pitch or y.width), self.codes.unit, self.codes.zero)

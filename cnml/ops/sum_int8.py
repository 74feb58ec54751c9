"""Sum of two tensors of codes."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.codes import Codes
from cnml.emitter import Emitter
from cnml.epilogue import Activation
from cnml.operator import Operator
from cnml.ops.eltwise import Eltwise
from cnml.reference.quantized import sum_codes
from cnml.tensor import Layout, Shape, Tensor


class SumInt8(Operator):
    """y = codes of activation(coeff_0 * x_0 + coeff_1 * x_1).

    Parameters
    ----------
    source : Eltwise
        A SUM of two inputs.
    terms : (Codes, Codes)
        Of the inputs.
    codes : Codes
        Of the result.
    """

    kind = "SumInt8"
    results = "kept"
    strided_input = True
    strided_output = True

    def __init__(self, source: Eltwise, terms: tuple[Codes, Codes], codes: Codes):
        super().__init__(source.name)
        self.source, self.terms, self.codes = source, terms, codes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return self.source.reshape(inputs, parameters)

    def factors(self) -> tuple[float, float]:
        """Units of the result in one unit of each input, times its coefficient; float32 values."""
        a, b = (float(np.float32(t.unit * c / self.codes.unit)) for t, c in zip(self.terms, self.source.coefficients(2), strict=True))
        return a, b

    def ending(self) -> tuple[int, float, float]:
        """The activation in units of the result."""
        a = self.source.activation
        if a.kind == "clip":
            a = Activation("clip", float(np.float32(a.a / self.codes.unit)), float(np.float32(a.b / self.codes.unit)))
        return a.words()

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.quantized`."""
        c, (a, b) = self.codes, self.terms
        return [sum_codes(inputs[0], inputs[1], self.factors(), (a.zero, b.zero), self.ending(), (c.least, c.most, c.zero))]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last."""
        return [Layout.NHWC] * 2, [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        y, c, (fa, fb) = outputs[0], self.codes, self.factors()
        pixels = [t.pitch or t.width for t in (*inputs, y)]
        emit.call("sum_x8", *inputs, y, y.pixels, y.shape[1], *pixels, fa, self.terms[0].zero, fb, self.terms[1].zero, *self.ending(), float(c.least),
                  float(c.most), c.zero)

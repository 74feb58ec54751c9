"""Local response normalisation."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.kernels.lrn_plan import PIXELS, across_kernel, within_kernel
from cnml.operator import Operator, channels_last
from cnml.reference.lrn import lrn_across, lrn_within
from cnml.tensor import Layout, Shape, Tensor


class Lrn(Operator):
    """y = x * (k + alpha * mean of squares in a neighbourhood) ** -beta.

    Parameters
    ----------
    region : str
        "ACROSS_CHANNELS", or "WITHIN_CHANNEL", where k is 1 whatever is given.
    size : int
        Odd: channels, or pixels along each image axis.
    alpha, beta, k : float
    name : str
    """

    kind = "Lrn"

    def __init__(self, region: str, size: int, alpha: float, beta: float, k: float = 1.0, name: str = ""):
        super().__init__(name)
        self.region = region
        self.size = size
        self.alpha = float(alpha)
        self.beta = float(beta)
        self.k = float(k)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(self.region in ("ACROSS_CHANNELS", "WITHIN_CHANNEL"), self, f"region '{self.region}'", "it must be ACROSS_CHANNELS or WITHIN_CHANNEL")
        expect(self.size % 2 == 1 and self.size > 0, self, f"size {self.size}", "it must be odd and positive")
        expect(len(inputs[0]) == 4, self, f"input {inputs[0]}", "it must have 4 axes (N, C, H, W)")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.lrn`."""
        if self.region == "ACROSS_CHANNELS":
            return [lrn_across(inputs[0], self.size, self.alpha, self.beta, self.k)]
        return [lrn_within(inputs[0], self.size, self.alpha, self.beta)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels innermost."""
        return channels_last(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass; the neighbourhood slides over the channels or the image."""
        n, c, h, w = inputs[0].shape
        if self.region == "ACROSS_CHANNELS":
            scratch = emit.scratch(4 * PIXELS * (c + self.size))
            emit.call(across_kernel(self.size, self.beta), inputs[0], outputs[0], n * h * w, c, self.size, self.alpha / self.size, self.beta, self.k,
                      scratch)
        else:
            emit.call(within_kernel(self.size), inputs[0], outputs[0], n, h, w, c, self.size, self.alpha / self.size ** 2, self.beta)

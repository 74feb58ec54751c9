"""L2 normalization with learned scales."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.normalize import normalize
from cnml.tensor import Layout, Shape, Tensor, count


class Normalize(Operator):
    """y = scale[c] * x / sqrt(sum of x^2 + eps).

    Parameter: the scales, C elements or one.

    Parameters
    ----------
    across_spatial : bool
        The sum runs over a whole image; else over the channels at each position.
    eps : float
    name : str
    """

    kind = "Normalize"

    def __init__(self, across_spatial: bool, eps: float = 1e-10, name: str = ""):
        super().__init__(name)
        self.across_spatial = across_spatial
        self.eps = eps

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it needs at least a batch and a channel axis")
        expect(count(parameters[0]) in (1, shape[1]), self, f"input {shape} and scales {parameters[0]}", f"there must be one scale or {shape[1]}")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.normalize`."""
        return [normalize(inputs[0], parameters[0], self.across_spatial, self.eps)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Sums and products in one kernel."""
        x = inputs[0]
        n, c = x.shape[:2]
        inner = count(x.shape[2:])
        scale = emit.parameters[0]
        kernel = "normalize_image_f32" if self.across_spatial else "normalize_position_f32"
        step = 1 if count(scale.shape) == c and c > 1 else 0
        emit.call(kernel, x, outputs[0], scale, n, c, inner, step, x.layout is Layout.NHWC, float(self.eps), emit.scratch(1024))

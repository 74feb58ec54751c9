"""Transposed convolution over any number of spatial axes."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.ops.convolution import ConvolutionGeometry
from cnml.operator import Operator
from cnml.reference.convolution import deconvolution
from cnml.tensor import Shape


class Deconvolution(Operator):
    """Parameters: weights (C, O/group, kernel…), bias (O,) if any.

    Parameters
    ----------
    geometry : ConvolutionGeometry
        `pad_end` is not used: the output is s(i-1) + d(k-1) + 1 - 2p.
    name : str
    """

    kind = "Deconvolution"

    def __init__(self, geometry: ConvolutionGeometry, name: str = ""):
        super().__init__(name)
        self.geometry = geometry

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """out = stride * (in - 1) + (dilation * (kernel - 1) + 1) - 2 * pad."""
        g, shape = self.geometry, inputs[0]
        expect(len(shape) - g.axis - 1 == len(g.kernel), self, f"input {shape}", f"it needs {len(g.kernel)} spatial axes behind axis {g.axis}")
        expect(shape[g.axis] % g.group == 0, self, f"{shape[g.axis]} input channels", f"they must be divisible by group {g.group}")
        want = (shape[g.axis], g.num_output // g.group, *g.kernel)
        expect(tuple(parameters[0]) == want, self, f"weights {tuple(parameters[0])} and input {shape}", f"the weights must have the shape {want}")
        spatial = tuple(s * (i - 1) + d * (k - 1) + 1 - 2 * p for i, p, d, k, s in zip(shape[g.axis + 1:], g.pad, g.dilation, g.kernel, g.stride, strict=True))
        expect(all(e > 0 for e in spatial), self, f"input {shape}, kernel {g.kernel} and pad {g.pad}",
               f"its output would have the spatial extents {spatial}; they must be positive")
        return [(*shape[:g.axis], g.num_output, *spatial)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.convolution`."""
        g, x = self.geometry, inputs[0]
        out = self.reshape([x.shape], [p.shape for p in parameters])[0]
        y = deconvolution(x.reshape(prod(x.shape[:g.axis]), *x.shape[g.axis:]), parameters[0], parameters[1] if g.bias else None, out[g.axis + 1:],
                          g.stride, g.pad, g.dilation, g.group)
        return [y.reshape(out)]

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Input elements x kernel taps x output channels of a group."""
        g = self.geometry
        return prod(inputs[0]) * prod(g.kernel) * g.num_output // g.group

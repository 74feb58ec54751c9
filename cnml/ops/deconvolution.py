"""Transposed convolution over any number of spatial axes."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.emitter import Emitter
from cnml.epilogue import IDENTITY
from cnml.errors import expect
from cnml.kernels.conv_nd_table import conv_nd_table
from cnml.kernels.conv_pack_f32 import pack_deconv2d_f32
from cnml.kernels.conv_plan_f32 import Conv2dShape, plan_deconv2d
from cnml.operator import Operator
from cnml.ops.convolution import ConvolutionGeometry
from cnml.reference.convolution import deconvolution
from cnml.reference.half import round_half
from cnml.tensor import Layout, Shape, Tensor


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
        spatial = tuple(s * (i - 1) + d * (k - 1) + 1 - 2 * p
                        for i, p, d, k, s in zip(shape[g.axis + 1:], g.pad, g.dilation, g.kernel, g.stride, strict=True))
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

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """With the weights in half precision."""
        return [round_half(self.reference(inputs, [round_half(parameters[0]), *parameters[1:]])[0])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Images are NHWC."""
        layout = Layout.NHWC if len(shapes[0]) == 4 and self.geometry.axis == 1 else Layout.PLAIN
        return [layout], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """The convolution tiles, one phase for every residue of the output position."""
        x, y, g = inputs[0], outputs[0], self.geometry
        if x.layout is not Layout.NHWC:
            big, small = y.shape[g.axis + 1:], x.shape[g.axis + 1:]
            table = conv_nd_table(prod(x.shape[:g.axis]), x.shape[g.axis], g.num_output, g.group, big, small, g.kernel, g.stride, g.pad, g.dilation)
            weights = emit.packed("rounded", round_half, emit.parameters[0]) if emit.half else emit.parameters[0]
            emit.call("deconv_nd_f32", x, weights, emit.parameters[1] if g.bias else None, y, table, 0, 0.0, 0.0)
            emit.note(f"plain loops over {len(g.kernel)} spatial axes")
            return
        n, c, h, w = x.shape
        shape = Conv2dShape(n, c, h, w, g.num_output, g.kernel, g.stride, g.pad, g.dilation, g.group)  # type: ignore[arg-type]
        plan = plan_deconv2d(shape, (y.shape[2], y.shape[3]))

        def pack(weights: np.ndarray, bias: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
            return pack_deconv2d_f32(plan, weights, bias, g.group)
        weights, bias = emit.packed_weights(("deconv2d", plan.nr, g, y.shape[2:]), pack, *emit.parameters)
        emit.call(emit.stored(plan.kernel), x, weights, bias, None, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(IDENTITY))
        emit.note(plan.reason)

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Input elements x kernel taps x output channels of a group."""
        g = self.geometry
        return prod(inputs[0]) * prod(g.kernel) * g.num_output // g.group

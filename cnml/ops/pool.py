"""Pooling over the spatial axes of an image."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.kernels.pool_plan import pool_kernel
from cnml.operator import Operator
from cnml.reference.pool import pool_ave, pool_max, pool_stochastic
from cnml.tensor import Layout, Shape, Tensor

Pair = tuple[int, int]


def pooled_extent(size: int, kernel: int, stride: int, pad: int, padded: bool, ceil: bool) -> int:
    """Windows along one axis.

    With padding on either axis a last window that would start at or beyond the right padding is dropped.
    """
    room = size + 2 * pad - kernel
    out = (-(-room // stride) if ceil else room // stride) + 1
    if padded and (out - 1) * stride >= size + pad:
        out -= 1
    return out


class Pool(Operator):
    """MAX, AVE or STOCHASTIC pooling of (N, C, H, W).

    Parameters
    ----------
    method : str
        "MAX", "AVE", "STOCHASTIC" (its expectation, as in testing).
    kernel, stride, pad : (height, width)
        `kernel` None is the whole image.
    ceil : bool
        Round the number of windows up.
    mask : bool
        MAX only: a second output with the index h * W + w of each maximum.
    name : str
    """

    kind = "Pool"

    def __init__(self, method: str, kernel: Pair | None, stride: Pair = (1, 1), pad: Pair = (0, 0), ceil: bool = True, mask: bool = False,
                 name: str = ""):
        super().__init__(name)
        self.method = method
        self.kernel = kernel
        self.stride = stride
        self.pad = pad
        self.ceil = ceil
        self.mask = mask
        self.strided_input = self.strided_output = not mask and method != "STOCHASTIC"  # type: ignore[misc]
        if method == "MAX":
            self.results = "selected"  # type: ignore[misc]
        if method == "STOCHASTIC":
            self.host_reason = "stochastic pooling is not on the path of a deployed network's trunk"  # type: ignore[misc]

    def window(self, shape: Shape) -> Pair:
        """The kernel for an input of `shape`."""
        return (shape[2], shape[3]) if self.kernel is None else self.kernel

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Caffe's rule, see `pooled_extent`."""
        shape = inputs[0]
        expect(len(shape) == 4, self, f"input {shape}", "it must have 4 axes (N, C, H, W)")
        expect(self.method in ("MAX", "AVE", "STOCHASTIC"), self, f"method '{self.method}'", "it must be MAX, AVE or STOCHASTIC")
        expect(min(self.stride) > 0, self, f"stride {self.stride}", "it must be positive")
        kernel = self.window(shape)
        if self.kernel is not None:
            expect(min(kernel) > 0, self, f"kernel {kernel}", "it must be positive")
            expect(min(self.pad) >= 0 and self.pad[0] < kernel[0] and self.pad[1] < kernel[1], self, f"pad {self.pad} and kernel {kernel}",
                   "the pad must be smaller than the kernel")
        expect(self.method != "STOCHASTIC" or not any(self.pad), self, f"pad {self.pad}", "padding is defined for MAX and AVE only")
        expect(not self.mask or self.method == "MAX", self, f"a mask for method {self.method}", "only MAX has one")
        oh, ow = (pooled_extent(shape[2 + a], kernel[a], self.stride[a], self.pad[a], any(self.pad), self.ceil) for a in (0, 1))
        expect(oh >= 0 and ow >= 0, self, f"input {shape}, kernel {kernel}, stride {self.stride}",
               f"the output extents would be {(oh, ow)}; they must not be negative")
        return [(shape[0], shape[1], oh, ow)] * (2 if self.mask else 1)

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pool`."""
        x, shape = inputs[0], inputs[0].shape
        out = self.reshape([shape], [])[0][2:]
        kernel = self.window(shape)
        if self.method == "MAX":
            values, mask = pool_max(x, out, kernel, self.stride, self.pad)
            return [values, mask] if self.mask else [values]
        if self.method == "AVE":
            return [pool_ave(x, out, kernel, self.stride, self.pad)]
        return [pool_stochastic(x, out, kernel, self.stride)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels innermost unless there are few of them."""
        native = self.method != "STOCHASTIC"
        nhwc = native and (given[0] is Layout.NHWC or shapes[0][1] >= 8)
        layout = Layout.NHWC if nhwc else Layout.PLAIN
        return [layout], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the output; a plain tensor is a batch of images with one channel."""
        if self.host_reason:
            emit.host(self)
            return
        n, c, h, w = inputs[0].shape
        if inputs[0].layout is Layout.PLAIN:
            n, c = n * c, 1
        oh, ow = outputs[0].shape[2:]
        kernel = self.window(inputs[0].shape)
        geometry = (inputs[0], *outputs, n, h, w, c, oh, ow, *kernel, *self.stride, *self.pad)
        if self.mask:
            emit.call("pool_mask_f32", *geometry)
        else:
            emit.call(pool_kernel(self.method.lower(), kernel, self.stride, c), *geometry, inputs[0].pitch or c, outputs[0].pitch or c)

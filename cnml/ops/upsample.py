"""Upsampling: nearest neighbour, and by the positions that a max pooling recorded."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator, follow_layouts
from cnml.ops.resample import Resample
from cnml.reference.interp import nearest_taps
from cnml.reference.resample import Taps
from cnml.reference.upsample_mask import upsample_mask
from cnml.tensor import Layout, Shape, Tensor


class UpsampleNearest(Resample):
    """Each output takes the nearest input.

    Parameters
    ----------
    height, width : int
        Output size; 0: input size times the scale.
    scale_h, scale_w : int
    rounded_corners : bool
        The vendor's source rule round(i * (in - 1) / (out - 1)) instead of floor(i * in / out).
    name : str
    """

    kind = "Upsample"

    def __init__(self, height: int = 0, width: int = 0, scale_h: int = 0, scale_w: int = 0, rounded_corners: bool = False, name: str = ""):
        super().__init__(name)
        self.height, self.width, self.scale_h, self.scale_w = height, width, scale_h, scale_w
        self.rounded_corners = rounded_corners

    def size(self, shape: Shape) -> tuple[int, int]:
        """Given, or scaled."""
        if self.height > 0 and self.width > 0:
            return self.height, self.width
        return shape[2] * self.scale_h, shape[3] * self.scale_w

    def taps(self, shape: Shape) -> tuple[Taps, Taps]:
        """One tap a side."""
        height, width = self.size(shape)
        return nearest_taps(shape[2], height, self.rounded_corners), nearest_taps(shape[3], width, self.rounded_corners)


class UpsampleMask(Operator):
    """SegNet's upsampling: values go to the positions in the mask, the rest is zero.

    Inputs: x (N, C, H, W) and the mask of the same shape: positions h * width + w in the output plane, as floats.

    Parameters
    ----------
    height, width : int
        Output size.
    name : str
    """

    kind = "UpsampleMask"
    results = "selected"

    def __init__(self, height: int, width: int, name: str = ""):
        super().__init__(name)
        self.height, self.width = height, width

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Both inputs agree; batch and channels stay."""
        x, mask = inputs
        expect(len(x) == 4 and x == mask, self, f"input {x} and mask {mask}", "both need the same four axes N, C, H, W")
        expect(self.height > 0 and self.width > 0, self, f"output {self.height} x {self.width}", "height and width must be positive")
        return [(x[0], x[1], self.height, self.width)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.upsample_mask`."""
        return [upsample_mask(inputs[0], inputs[1], self.height, self.width)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """NHWC if x or the mask lies so."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Zeros, then a scatter; positions outside the output are dropped."""
        emit.call("clear_f32", outputs[0], outputs[0].count)
        n, c, h, w = inputs[0].shape
        if inputs[0].layout is Layout.NHWC:
            emit.call("upsample_mask_f32", inputs[0], inputs[1], outputs[0], n, h * w, self.height * self.width, c)
        else:
            emit.call("upsample_mask_f32", inputs[0], inputs[1], outputs[0], n * c, h * w, self.height * self.width, 1)

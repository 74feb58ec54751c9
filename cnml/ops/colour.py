"""Pixels of video cameras as RGB or grey images."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.colour import FORMS, yuv_to_gray, yuv_to_rgb
from cnml.tensor import Layout, Shape, Tensor


def _height(op: Operator, shape: Shape) -> int:
    expect(len(shape) == 4 and shape[1] == 1 and shape[2] % 3 == 0 and shape[3] % 2 == 0, op, f"input {shape}",
           "it must be (N, 1, 3 H / 2, W) with even H and W")
    return shape[2] * 2 // 3


class YuvToRgb(Operator):
    """YUV 4:2:0 with interleaved chroma (N, 1, 3 H / 2, W) as four channels of 0..255, BT.601.

    Parameters
    ----------
    swapped : bool
        Chroma is (V, U): NV21.
    form : {"RGB0", "BGR0", "ARGB"}
        Order of the channels; 0 is zero, A is 255.
    name : str
    """

    kind = "YuvToRgb"
    results = "kept"

    def __init__(self, swapped: bool, form: str, name: str = ""):
        super().__init__(name)
        self.swapped, self.form = swapped, form

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Four channels of H x W."""
        expect(self.form in FORMS, self, f"form '{self.form}'", f"it must be one of {', '.join(FORMS)}")
        return [(inputs[0][0], 4, _height(self, inputs[0]), inputs[0][3])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.colour`."""
        return [yuv_to_rgb(inputs[0], self.swapped, self.form)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Planes in and out."""
        return [Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass."""
        n, _, height, width = outputs[0].shape
        places = {c: k for k, c in enumerate(FORMS[self.form])}
        other = "A" if "A" in places else "0"
        emit.call("yuv_to_rgb_f32", inputs[0], outputs[0], n, height, width, int(not self.swapped), int(self.swapped), places["R"], places["G"],
                  places["B"], places[other], 255 if other == "A" else 0)


class YuvToGray(Operator):
    """The luminance of YUV 4:2:0: the first two thirds of the rows."""

    kind = "YuvToGray"
    results = "selected"
    host_reason = "preparation of pixels, not part of a network"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """H rows."""
        return [(inputs[0][0], 1, _height(self, inputs[0]), inputs[0][3])]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.colour`."""
        return [yuv_to_gray(inputs[0])]

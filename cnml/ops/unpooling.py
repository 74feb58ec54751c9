"""Unpooling: values spread over larger windows."""
from __future__ import annotations

import math
from dataclasses import dataclass

from cnml.errors import expect
from cnml.ops.resample import Resample
from cnml.reference.resample import Taps
from cnml.reference.unpooling import unpooling_taps
from cnml.tensor import Shape


@dataclass(frozen=True)
class UnPoolingWindow:
    """Kernel, stride and padding in the output, as (rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)


def window_for(size: tuple[int, int], out: tuple[int, int]) -> UnPoolingWindow:
    """The window that makes a plane of `size` cover one of `out` (bottom 1 of the layer)."""
    kernel = tuple(math.ceil(o / s) for s, o in zip(size, out, strict=True))
    stride = tuple(1 if k == o else k for k, o in zip(kernel, out, strict=True))
    pad = tuple(((s - 1) * d + k - o) // 2 for s, d, k, o in zip(size, stride, kernel, out, strict=True))
    return UnPoolingWindow((kernel[0], kernel[1]), (stride[0], stride[1]), (pad[0], pad[1]))


class UnPooling(Resample):
    """Each value goes to the middle (FIXED) or to all (DIV, REP) of its window in the output.

    Parameters
    ----------
    method : {"FIXED", "DIV", "REP"}
    window : UnPoolingWindow
    name : str
    """

    kind = "UnPooling"

    def __init__(self, method: str, window: UnPoolingWindow, name: str = ""):
        super().__init__(name)
        self.method = method
        self.window = window

    def size(self, shape: Shape) -> tuple[int, int]:
        """(in - 1) * stride - 2 * pad + kernel."""
        w = self.window
        expect(min(*w.kernel, *w.stride) > 0 and min(w.pad) >= 0, self, f"kernel {w.kernel}, stride {w.stride}, pad {w.pad}",
               "kernel and stride must be positive, pad not negative")
        expect(max(w.pad) == 0 or (w.pad[0] < w.kernel[0] and w.pad[1] < w.kernel[1]), self, f"pad {w.pad} with kernel {w.kernel}",
               "pad must be less than the kernel")
        height, width = ((s - 1) * d - 2 * p + k for s, k, d, p in zip(shape[2:], w.kernel, w.stride, w.pad, strict=True))
        return height, width

    def taps(self, shape: Shape) -> tuple[Taps, Taps]:
        """See `cnml.reference.unpooling`."""
        w, out = self.window, self.size(shape)
        rows, columns = (unpooling_taps(self.method, shape[2 + i], out[i], w.kernel[i], w.stride[i], w.pad[i]) for i in (0, 1))
        return rows, columns

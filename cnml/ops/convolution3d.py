"""Convolution and pooling over length, height and width."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.convolution3d import convolution3d, pooled_extent, pooling3d
from cnml.tensor import Shape, count


@dataclass(frozen=True)
class Window3d:
    """Kernel, stride and padding as (length, height, width)."""

    kernel: tuple[int, int, int]
    stride: tuple[int, int, int] = (1, 1, 1)
    pad: tuple[int, int, int] = (0, 0, 0)


class Convolution3d(Operator):
    """Parameters: weights (O, C, l, h, w) and a bias of O elements, if any.

    Parameters
    ----------
    window : Window3d
    name : str
    """

    kind = "Convolution3D"
    host_reason = "video networks run through NumPy's matrix product"

    def __init__(self, window: Window3d, name: str = ""):
        super().__init__(name)
        self.window = window

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """(in + 2 * pad - kernel) / stride + 1 on each axis."""
        x, w = inputs[0], self.window
        expect(len(x) == 5, self, f"input {x}", "it needs the five axes N, C, L, H, W")
        want = (x[1], *w.kernel)
        expect(tuple(parameters[0][1:]) == want, self, f"weights {parameters[0]} and input {x}", f"each filter must have the shape {want}")
        expect(len(parameters) == 1 or count(parameters[1]) == parameters[0][0], self, f"bias {parameters[-1]}",
               f"it needs {parameters[0][0]} elements")
        out = tuple((n + 2 * p - k) // s + 1 for n, k, s, p in zip(x[2:], w.kernel, w.stride, w.pad, strict=True))
        expect(all(e > 0 for e in out), self, f"input {x} and kernel {w.kernel}", f"its output would have the extents {out}; they must be positive")
        return [(x[0], parameters[0][0], *out)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.convolution3d`."""
        return [convolution3d(inputs[0], parameters[0], parameters[1] if len(parameters) > 1 else None, self.window.stride, self.window.pad)]

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Output elements x filter elements."""
        return prod(outputs[0]) * inputs[0][1] * prod(self.window.kernel)


class Pooling3d(Operator):
    """Maximum or mean over windows of (N, C, L, H, W).

    Parameters
    ----------
    method : {"MAX", "AVE"}
    window : Window3d
    name : str
    """

    kind = "Pooling3D"
    host_reason = "video networks are not a hot path"

    def __init__(self, method: str, window: Window3d, name: str = ""):
        super().__init__(name)
        self.method = method
        self.window = window

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Rounded up, so the last window may reach beyond the end."""
        x, w = inputs[0], self.window
        expect(len(x) == 5, self, f"input {x}", "it needs the five axes N, C, L, H, W")
        expect(self.method in ("MAX", "AVE"), self, f"pooling method {self.method}", "it must be MAX or AVE")
        out = tuple(pooled_extent(*v) for v in zip(x[2:], w.kernel, w.stride, w.pad, strict=True))
        expect(all(e > 0 for e in out), self, f"input {x} and kernel {w.kernel}", f"its output would have the extents {out}; they must be positive")
        return [(*x[:2], *out)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.convolution3d`."""
        w = self.window
        return [pooling3d(inputs[0], self.method, w.kernel, w.stride, w.pad)]

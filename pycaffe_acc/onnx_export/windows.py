"""Caffe's windows over an image."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnml.reference.pool import windows


@dataclass(frozen=True)
class Windows:
    """The windows of a pooling over any number of axes.

    Attributes
    ----------
    size, out, kernel, stride, pad : tuple of int
        One entry for each spatial axis; the padding lies on both sides.
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]

    def after(self) -> tuple[int, ...]:
        """Padding behind the image that makes the last window end there; with it no rounding is left to do."""
        return tuple(max(0, (o - 1) * s + k - n - p)
                     for n, o, k, s, p in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True))

    def outside(self) -> bool:
        """Whether some window lies wholly outside the image."""
        return any(last <= first for axis in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True)
                   for first, last, _ in windows(*axis))

    def extents(self) -> list[np.ndarray]:
        """For each axis, what every window's mean is divided by."""
        return [np.array([e for _, _, e in windows(*axis)], np.float64)
                for axis in zip(self.size, self.out, self.kernel, self.stride, self.pad, strict=True)]

    def fits(self) -> bool:
        """Whether a pooling node may pad so: less than its kernel on each side, and each window reads something of the image."""
        return not self.outside() and all(a < k for a, k in zip(self.after(), self.kernel, strict=True))

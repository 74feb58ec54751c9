"""The numbers that say what a two-dimensional convolution is."""
from __future__ import annotations

from typing import NamedTuple


class Conv2dShape(NamedTuple):
    """Geometry of a convolution; a pair is (vertical, horizontal)."""

    batch: int
    channels: int
    height: int
    width: int
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    group: int = 1
    pad_end: tuple[int, int] | None = None  # at the bottom and right, when it differs from `pad`

    @property
    def out(self) -> tuple[int, int]:
        """Output height and width (Caffe's rule: division truncates towards zero)."""
        h, w = (int((size + p + q - (d * (k - 1) + 1)) / s) + 1 for size, k, s, p, q, d in
                zip((self.height, self.width), self.kernel, self.stride, self.pad, self.pad_end or self.pad, self.dilation, strict=True))
        return h, w

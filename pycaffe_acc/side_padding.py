"""Padding that differs by side: what converters from TensorFlow write into convolutions and poolings."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Pair = tuple[int, int]
_SIDES = ("pad_t", "pad_l", "pad_b", "pad_r")


@dataclass(frozen=True)
class SidePadding:
    """pad_type 1 (TensorFlow's SAME) or pad_t, pad_l, pad_b, pad_r.

    Attributes
    ----------
    same : bool
    before, after : (height, width)
        Not used with `same`.
    """

    same: bool
    before: Pair = (0, 0)
    after: Pair = (0, 0)

    def extents(self, size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...],
                dilation: tuple[int, ...] = (1, 1)) -> tuple[Pair, Pair]:
        """Elements before and after each of the two axes; SAME makes ceil(in / stride) outputs with the smaller half in front."""
        if not self.same:
            return self.before, self.after
        total = [max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n) for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)]
        return (total[0] // 2, total[1] // 2), (total[0] - total[0] // 2, total[1] - total[1] // 2)


def side_padding(p: Any) -> SidePadding | None:
    """Read a ConvolutionParameter or PoolingParameter; None when it has none of these fields."""
    if p.pad_type == 1:
        return SidePadding(True)
    if not any(p.HasField(f) for f in _SIDES):
        return None
    top, left, bottom, right = (int(getattr(p, f)) for f in _SIDES)
    return SidePadding(False, (top, left), (bottom, right))

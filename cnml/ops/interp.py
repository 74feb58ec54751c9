"""Bilinear interpolation (DeepLab's and PSPNet's Interp)."""
from __future__ import annotations

from dataclasses import dataclass

from cnml.errors import expect
from cnml.ops.resample import Resample
from cnml.reference.interp import bilinear_taps
from cnml.reference.resample import Taps
from cnml.tensor import Shape


@dataclass(frozen=True)
class InterpSize:
    """How the output's size follows from the input's; 0 or None means not given.

    Attributes
    ----------
    height, width : int
    zoom, shrink : int or None
        zoom: n + (n - 1) * (zoom - 1); shrink: (n - 1) / shrink + 1. One of them alone wins over height and width, both lose to them.
    pad_begin, pad_end : int
        Not positive: rows and columns cut off at either end.
    """

    height: int = 0
    width: int = 0
    zoom: int | None = None
    shrink: int | None = None
    pad_begin: int = 0
    pad_end: int = 0


class Interp(Resample):
    """Bilinear resize of (N, C, H, W).

    Parameters
    ----------
    size : InterpSize
    align_corners : bool
        Source i * (in - 1) / (out - 1) if true, half-pixel centres if false.
    name : str
    """

    kind = "Interp"

    def __init__(self, size: InterpSize, align_corners: bool = True, name: str = ""):
        super().__init__(name)
        self.options = size
        self.align_corners = align_corners

    def size(self, shape: Shape) -> tuple[int, int]:
        """The rule of `InterpSize`."""
        o = self.options
        height, width = shape[2] + o.pad_begin + o.pad_end, shape[3] + o.pad_begin + o.pad_end
        expect(o.pad_begin <= 0 and o.pad_end <= 0, self, f"pad_beg {o.pad_begin} and pad_end {o.pad_end}",
               "only cropping, that is values <= 0, is possible")
        expect(height > 0 and width > 0, self, f"an input of {shape[2]} x {shape[3]} cropped to {height} x {width}", "something must be left")
        for what, value in (("zoom_factor", o.zoom), ("shrink_factor", o.shrink)):
            expect(value is None or value >= 1, self, f"{what} {value}", "it must be positive")
        if (o.zoom is None) == (o.shrink is None) and o.height > 0 and o.width > 0:
            return o.height, o.width
        expect(o.zoom is not None or o.shrink is not None, self, f"height {o.height} and width {o.width}",
               "give both, or zoom_factor or shrink_factor")
        return _scaled(height, o), _scaled(width, o)

    def taps(self, shape: Shape) -> tuple[Taps, Taps]:
        """Two taps a side."""
        o = self.options
        cut = o.pad_begin + o.pad_end
        height, width = self.size(shape)
        return (bilinear_taps(shape[2] + cut, height, -o.pad_begin, self.align_corners),
                bilinear_taps(shape[3] + cut, width, -o.pad_begin, self.align_corners))


def _scaled(extent: int, options: InterpSize) -> int:
    if options.shrink is not None:
        extent = (extent - 1) // options.shrink + 1
    if options.zoom is not None:
        extent += (extent - 1) * (options.zoom - 1)
    return extent

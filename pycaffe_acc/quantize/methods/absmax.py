"""absmax: nothing that was seen is clipped."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.layer_ranges import LayerRanges
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.value_range import ValueRange, checked_range, range_of

HELP = "the largest magnitude becomes the largest code"
SETTLED = False


def collector(net: ObservedNet, dtype: int, options: CalibrationOptions) -> LayerRanges:
    """Running maxima of the bottoms."""
    return LayerRanges(net, dtype, LargestMagnitude, options)


class LargestMagnitude:
    """Observer: the greatest magnitude, and whether any value was negative."""

    def __init__(self) -> None:
        self._largest = -1.0
        self._negative = False

    def see(self, values: np.ndarray) -> None:
        """Remember the largest magnitude."""
        if values.size:
            least = float(values.min())
            self._largest = max(self._largest, float(values.max()), -least)
            self._negative |= least < 0

    def found(self, dtype: int) -> ValueRange:
        """The largest magnitude becomes the largest code."""
        return range_of(checked_range(self._largest), dtype, self._negative)

"""absmax: position and scale from the largest magnitude, weights per output channel."""
from __future__ import annotations

import numpy as np

from cnml.quantization import QuantParam, position_of, scale_of
from pycaffe_acc.quantize.layer_ranges import LayerRanges
from pycaffe_acc.quantize.observed_net import ObservedNet

HELP = "position and scale from the largest magnitude; one of each per output channel of weights"
SETTLED = False


def collector(net: ObservedNet, dtype: int) -> LayerRanges:
    """Running maxima of the bottoms."""
    return LayerRanges(net, dtype, LargestMagnitude, weight_param)


class LargestMagnitude:
    """Observer: nothing that was seen is clipped."""

    def __init__(self) -> None:
        self._largest = -1.0

    def see(self, values: np.ndarray) -> None:
        """Remember the largest magnitude."""
        if values.size:
            self._largest = max(self._largest, float(values.max()), -float(values.min()))

    def param(self, limit: int) -> QuantParam:
        """The largest magnitude becomes the largest code."""
        if self._largest < 0:
            raise ValueError("no calibration image brought a value")
        if self._largest == 0:
            raise ValueError("all values were 0 in all calibration images")
        return param_of(self._largest, limit)


def param_of(largest: float, limit: int) -> QuantParam:
    """Position and scale with which `largest` becomes `limit`; those of 1 for 0.

    Parameters
    ----------
    largest : float
        At least 0.
    limit : int
        Largest code.
    """
    return QuantParam(*_pair(largest, limit))


def weight_param(values: np.ndarray, axis: int | None, limit: int) -> QuantParam:
    """One position and scale per channel along `axis`, or (None) for all.

    Channels of zeros, which pruned nets have, get position 0 and scale 1.

    Raises
    ------
    ValueError
        When all values are 0.
    """
    magnitudes = np.abs(values)
    if not magnitudes.size or magnitudes.max() == 0:
        raise ValueError("all values are 0")
    if axis is None:
        return param_of(float(magnitudes.max()), limit)
    channels = [_pair(float(m), limit) for m in magnitudes.max(axis=tuple(a for a in range(values.ndim) if a != axis))]
    return QuantParam(tuple(position for position, _ in channels), tuple(scale for _, scale in channels))


def _pair(largest: float, limit: int) -> tuple[int, float]:
    position = position_of(largest, limit)
    return position, scale_of(largest, position, limit)

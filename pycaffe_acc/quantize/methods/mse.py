"""mse: the range with the smallest squared quantization error."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.histogram import MagnitudeHistogram
from pycaffe_acc.quantize.layer_ranges import HistogramObserver, LayerRanges
from pycaffe_acc.quantize.observed_net import ObservedNet

HELP = "the range with the smallest mean squared error"
SETTLED = False
#: ranges that are tried: from the greatest magnitude down to a 32nd of it, each 3 % smaller than the one before
_SHARES = np.geomspace(1.0, 1 / 32, 118)


def collector(net: ObservedNet, dtype: int, options: CalibrationOptions) -> LayerRanges:
    """Histograms of the bottoms."""
    return LayerRanges(net, dtype, lambda: HistogramObserver(least_error), options)


def least_error(histogram: MagnitudeHistogram, limit: int) -> float:
    """The range with the smallest sum of squared errors over the histogram.

    A value inside of the range is wrong by its distance to the nearest multiple of the step; one outside by its distance to the end. Where a step is
    not much wider than a bin, the former is the mean of a uniform error, step**2 / 12.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    limit : int
        Largest code.

    Returns
    -------
    float
        The largest of the ranges with equal errors.
    """
    filled = np.flatnonzero(histogram.counts)
    counts, centres = histogram.counts[filled].astype(np.float64), np.minimum(histogram.centres[filled], histogram.largest)
    best, least = histogram.largest, np.inf
    for share in _SHARES:
        end = histogram.largest * share
        step = end / limit
        if step < 2 * histogram.width:
            errors = np.where(centres <= end, step * step / 12, np.square(centres - end))
        else:
            errors = np.square(np.minimum(np.rint(centres / step), limit) * step - centres)
        error = float(counts @ errors)
        if error < least:
            best, least = float(end), error
    return best

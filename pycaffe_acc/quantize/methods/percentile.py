"""percentile: a small share of the values, the largest ones, is clipped."""
from __future__ import annotations

from functools import partial

import numpy as np

from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.histogram import MagnitudeHistogram
from pycaffe_acc.quantize.layer_ranges import HistogramObserver, LayerRanges
from pycaffe_acc.quantize.observed_net import ObservedNet

HELP = "the share of values that --percentile says is kept, the largest others are clipped"
SETTLED = False


def collector(net: ObservedNet, dtype: int, options: CalibrationOptions) -> LayerRanges:
    """Histograms of the bottoms."""
    return LayerRanges(net, dtype, lambda: HistogramObserver(partial(kept, percent=options.kept_percent)), options)


def kept(histogram: MagnitudeHistogram, limit: int, percent: float) -> float:
    """The magnitude that `percent` % of all values, zeros included, do not exceed.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    limit : int
        Not needed.
    percent : float
        100 keeps everything.

    Returns
    -------
    float
        The end of a bin, at most the greatest magnitude; that one where the percentile is 0 (more than `percent` % of the values are zeros).
    """
    wanted = percent / 100 * histogram.values - histogram.zeros
    if wanted <= 0 or percent == 100:
        return histogram.largest
    last = int(np.searchsorted(np.cumsum(histogram.counts), wanted))
    return min((last + 1) * histogram.width, histogram.largest)

"""kl: the range whose codes tell most about the values, by the Kullback-Leibler divergence."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.histogram import BINS, MagnitudeHistogram
from pycaffe_acc.quantize.layer_ranges import HistogramObserver, LayerRanges
from pycaffe_acc.quantize.observed_net import ObservedNet

HELP = "the range whose codes are distributed most like the values (entropy)"
SETTLED = False
_STEP = 16  # bins from one range to the next
_NEVER = 1e-10  # probability of what the codes cannot express; finite, so that ranges stay comparable


def collector(net: ObservedNet, dtype: int, options: CalibrationOptions) -> LayerRanges:
    """Histograms of the bottoms."""
    return LayerRanges(net, dtype, lambda: HistogramObserver(least_divergence), options)


def least_divergence(histogram: MagnitudeHistogram, limit: int) -> float:
    """The range for which the distribution of magnitudes and that of their codes differ least.

    For a range of n bins, P holds the counts of its bins, the last one with everything beyond; Q what is left of the bins inside after each code's
    bins are replaced by their mean (over the bins that hold anything). Searched is the n with the smallest sum of P log(P / Q), both normalised.
    Zeros have a code of their own in any range and are left out.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    limit : int
        Largest code; with as many codes as bins there is nothing to choose.

    Returns
    -------
    float
        At most the greatest magnitude.
    """
    counts, levels = histogram.counts.astype(np.float64), limit + 1
    used = int(np.flatnonzero(counts)[-1]) + 1
    if levels >= min(used, BINS):
        return histogram.largest
    best, least = used, np.inf
    for n in range(used, levels - 1, -_STEP):
        divergence = _divergence(counts, n, levels)
        if divergence < least:
            best, least = n, divergence
    return min(best * histogram.width, histogram.largest)


def _divergence(counts: np.ndarray, n: int, levels: int) -> float:
    inside = counts[:n]
    p = inside.copy()
    p[-1] += counts[n:].sum()
    code = np.arange(n) * levels // n
    filled = inside > 0
    totals = np.bincount(code, inside, levels)
    members = np.bincount(code, filled, levels)
    q = np.where(filled, (totals / np.maximum(members, 1))[code], 0.0)
    if not q.any():
        return float(np.inf)
    p, q = p / p.sum(), np.maximum(q / q.sum(), _NEVER)
    some = p > 0
    return float(np.sum(p[some] * np.log(p[some] / q[some])))

"""The methods percentile, kl and mse: ranges out of histograms."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, DT_UINT8
from pycaffe_acc.quantize.histogram import MagnitudeHistogram
from pycaffe_acc.quantize.layer_ranges import HistogramObserver
from pycaffe_acc.quantize.methods.kl import least_divergence
from pycaffe_acc.quantize.methods.mse import least_error
from pycaffe_acc.quantize.methods.percentile import kept

RULES = {"percentile": partial(kept, percent=99.99), "kl": least_divergence, "mse": least_error}


def histogram(values):
    """Of one array."""
    h = MagnitudeHistogram()
    h.see(np.asarray(values, np.float32))
    return h


def squared_error(values, end, limit):
    """Of the quantization itself."""
    step = end / limit
    return float(np.square(np.clip(np.rint(values / step), -limit, limit) * step - values).sum())


@pytest.mark.parametrize("percent", [90, 99, 99.9, 100])
def test_percentiles(rng, percent):
    """Those of NumPy, up to a bin; the percent is what is kept."""
    values = np.concatenate([rng.normal(size=20000), np.zeros(5000)]).astype(np.float32)
    h = histogram(values)
    assert kept(h, 127, percent) == pytest.approx(np.percentile(np.abs(values), percent, method="inverted_cdf"), abs=2 * h.width)
    assert np.mean(np.abs(values) <= kept(h, 127, percent)) >= percent / 100


def test_a_percentile_of_zeros():
    """Where almost all values are zeros, nothing is clipped."""
    assert kept(histogram([*np.zeros(99), 3.0]), 127, 90) == 3.0


@pytest.mark.parametrize("percent", [0.01, 50, 100.1, float("nan")])
def test_the_share_that_is_kept(percent):
    """Not the share that is clipped."""
    with pytest.raises(CheckError, match="must be the share that is kept"):
        CalibrationOptions(kept_percent=percent)


@pytest.mark.parametrize("limit", [127, 255])
@pytest.mark.parametrize("draw", ["normal", "laplace", "uniform"])
def test_the_smallest_error(rng, draw, limit):
    """No other range is better by more than a little on the values themselves."""
    values = getattr(rng, draw)(size=50000)
    found = least_error(histogram(values), limit)
    ends = np.geomspace(0.05, 1, 100) * np.abs(values).max()
    assert squared_error(values, found, limit) <= 1.01 * min(squared_error(values, e, limit) for e in ends)


@pytest.mark.parametrize("limit", [127, 255])
def test_divergence_clips_a_lonely_outlier(rng, limit):
    """A body of values and one far away: the body keeps its codes. A uniform body keeps all of its range."""
    body = rng.normal(size=100000)
    assert np.abs(body).max() * 0.4 < least_divergence(histogram([*body, 60.0]), limit) < 20
    assert least_divergence(histogram(rng.uniform(-1, 1, 100000)), limit) > 0.9


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_ranges_are_of_use(rng, rule):
    """Positive and never beyond what was seen: few values, one value, many equal values."""
    for values in ([1e-30], [3.0], np.full(1000, 7.0), [0, 0, 1e30], rng.normal(size=10), rng.exponential(size=1000) ** 4):
        largest = float(np.abs(np.float32(values)).max())
        for limit in (127, 255, 32767):
            assert 0 < rule(histogram(values), limit) <= largest


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_order_does_not_matter(rng, rule):
    """One batch or ten, forwards or backwards."""
    values = rng.normal(size=(10, 400)).astype(np.float32) ** 3
    found = []
    for parts in (values[None], values, values[::-1]):
        observer = HistogramObserver(rule)
        for part in parts:
            observer.see(part)
        found.append(observer.found(DT_INT8))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_types_and_useless_ranges(rule):
    """As in absmax."""
    observer = HistogramObserver(rule)
    with pytest.raises(ValueError, match="no calibration image"):
        observer.found(DT_INT8)
    observer.see(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="all values were 0"):
        observer.found(DT_INT8)
    observer.see(np.linspace(0, 1, 1000, dtype=np.float32))
    assert observer.found(DT_INT8).dtype == DT_UINT8 and observer.found(DT_INT16).dtype == DT_INT16

"""Percentiles and histograms."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaffe_acc.load.figures import allowed_over
from pycaffe_acc.load.latency import histogram, nearest_rank, spread_ms


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (90, 9), (90.5, 10), (99, 10), (100, 10), (0.1, 1), (10, 1), (10.01, 2)])
def test_nearest_rank_of_ten(percent, expected):
    assert nearest_rank(range(1, 11), percent) == expected


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.sampled_from([50.0, 90.0, 95.0, 97.0, 99.0, 99.9, 33.3]), st.integers(0, 10**9))
def test_the_percentile_keeps_a_bound_exactly_when_few_enough_values_exceed_it(values, percent, bound):
    at = nearest_rank(sorted(values), percent)
    assert at in values
    assert (at <= bound) == (sum(v > bound for v in values) <= allowed_over(len(values), percent))


def test_spread():
    assert spread_ms(np.array([], np.int64)) is None
    found = spread_ms(np.arange(1, 101) * 1_000_000, 99.9)
    assert found == {"mean": 50.5, "min": 1.0, "max": 100.0, "p50": 50.0, "p90": 90.0, "p95": 95.0, "p97": 97.0, "p99": 99.0, "p99.9": 100.0}


@pytest.mark.parametrize("times", [[5], [7, 7, 7], [0, 0], [1, 10**12], list(range(1, 5000)), [10**9, 10**9 + 1]])
def test_a_histogram_counts_every_time(times):
    found = histogram(np.array(times, np.int64))
    assert sum(found["counts"]) == len(times) and len(found["edges_ms"]) == len(found["counts"]) + 1
    assert found["edges_ms"] == sorted(found["edges_ms"])


def test_no_times_no_histogram():
    assert histogram(np.array([], np.int64)) is None

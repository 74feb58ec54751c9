"""Samples, arrivals and checks come from seeds."""
from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from pycaffe_acc.load.draws import check_marks, poisson_arrivals, sample_numbers, seeds


def test_seeds_are_different_and_fixed():
    assert seeds(0) == seeds(0) and len(set(seeds(0).values())) == 3
    assert set(seeds(0).values()).isdisjoint(seeds(1).values())


def test_samples_are_drawn_evenly_and_repeatably():
    first = list(islice(sample_numbers([3, 5, 9], 7), 9000))
    assert first == list(islice(sample_numbers([3, 5, 9], 7), 9000)) != list(islice(sample_numbers([3, 5, 9], 8), 9000))
    numbers, counts = np.unique(first, return_counts=True)
    assert numbers.tolist() == [3, 5, 9] and np.abs(counts - 3000).max() < 5 * np.sqrt(3000)


def test_marks_have_their_share_and_begin_with_one():
    marks = list(islice(check_marks(0.25, 3), 8000))
    assert marks[0] and abs(sum(marks) - 2000) < 5 * np.sqrt(2000 * 0.75)
    assert not any(islice(check_marks(0.0, 3), 8000)) and all(islice(check_marks(1.0, 3), 8000))


def test_intervals_are_exponential():
    gaps = np.diff(poisson_arrivals(1000.0, 0, 40000, 11)) * 1e-9
    assert gaps.mean() == pytest.approx(1e-3, rel=0.03) and gaps.std() == pytest.approx(1e-3, rel=0.03)
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(gaps, quantile) == pytest.approx(-np.log(1 - quantile) * 1e-3, rel=0.06)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03


def test_the_rate_only_scales_the_moments():
    slow, fast = poisson_arrivals(10.0, 0, 500, 1), poisson_arrivals(1000.0, 0, 500, 1)
    np.testing.assert_allclose(np.array(slow) / 100, fast, atol=1)
    assert fast != poisson_arrivals(1000.0, 0, 500, 2)


@pytest.mark.parametrize(("seconds", "least"), [(2.0, 1), (0.0, 5000), (0.5, 10000), (0.0, 1)])
def test_arrivals_end_as_soon_as_time_and_number_are_reached(seconds, least):
    moments = poisson_arrivals(1000.0, int(seconds * 1e9), least, 5)
    assert moments == sorted(moments) and len(moments) >= least and moments[-1] >= seconds * 1e9
    assert len(moments) == least or moments[-2] < seconds * 1e9

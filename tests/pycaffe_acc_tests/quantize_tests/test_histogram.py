"""Histograms of magnitudes that grow by doubling."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaffe_acc.quantize.histogram import BINS, MagnitudeHistogram


def histogram(parts):
    """Of several arrays, one after the other."""
    h = MagnitudeHistogram()
    for part in parts:
        h.see(np.asarray(part, np.float32))
    return h


def test_counts_are_those_of_numpy(rng):
    """Bins of one width, from 0 on; zeros are counted apart."""
    values = rng.normal(size=(4, 300)).astype(np.float32)
    values[0, :7] = 0
    h = histogram(values)
    expected, _ = np.histogram(np.abs(values[values != 0]), BINS, (0, BINS * h.width))
    np.testing.assert_array_equal(h.counts, expected)
    assert h.zeros == 7 and h.values == 1200 and h.negative and h.largest == np.abs(values).max()
    assert h.width * BINS / 2 <= h.largest < h.width * BINS


@given(st.lists(st.lists(st.floats(-2.0**100, 2.0**100, width=32), max_size=5), min_size=1, max_size=6), st.randoms())
def test_order_and_batches_do_not_matter(parts, random):
    """Every way to the same values gives the same counts."""
    whole = histogram([np.concatenate([np.float32(p) for p in parts])])
    random.shuffle(parts)
    h = histogram(parts)
    np.testing.assert_array_equal(h.counts, whole.counts)
    assert (h.zeros, h.width, h.negative, h.largest) == (whole.zeros, whole.width, whole.negative, whole.largest)


@pytest.mark.parametrize("largest", [np.finfo(np.float32).max, np.finfo(np.float32).tiny, np.float32(1e-45), 1.0, 2.0])
def test_extremes(largest):
    """The greatest and the smallest floats have a bin too."""
    h = histogram([[0], [largest, -largest]])
    assert h.counts.sum() == 2 and h.zeros == 1 and h.largest == np.float32(largest)
    assert np.flatnonzero(h.counts)[0] * h.width <= largest


def test_memory_does_not_grow(rng):
    """However much is seen and however far it reaches."""
    h = MagnitudeHistogram()
    for power in range(-30, 30):
        h.see(rng.normal(size=1000).astype(np.float32) * np.float32(2.0**power))
    assert h.counts.shape == (BINS,) and h.values == 60000


def test_nothing_and_zeros():
    """Empty arrays bring nothing; zeros bring a range of 0."""
    h = histogram([np.empty((0, 3))])
    assert h.largest == -1 and h.values == 0
    h = histogram([np.zeros(5)])
    assert h.largest == 0 and h.zeros == 5 and not h.counts.any() and not h.negative

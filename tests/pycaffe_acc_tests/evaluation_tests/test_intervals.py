"""Union and percentiles of intervals."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaffe_acc.evaluation.intervals import Intervals, percentiles_ms, union_ns

INTERVALS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda v: (v[0], v[0] + v[1])), max_size=12)


@given(INTERVALS)
def test_union_equals_counting_points(intervals):
    covered = np.zeros(100, bool)
    for start, end in intervals:
        covered[start:end] = True
    assert union_ns(intervals) == covered.sum()


@given(INTERVALS)
def test_order_does_not_matter(intervals):
    assert union_ns(intervals) == union_ns(intervals[::-1])


def test_an_interval_must_not_end_before_it_starts():
    with pytest.raises(ValueError, match="before it starts"):
        union_ns([(5, 4)])


def test_percentiles_are_in_milliseconds():
    assert percentiles_ms([(0, 1_000_000), (0, 3_000_000), (10, 2_000_010)]) == {"p50": 2.0, "p90": pytest.approx(2.8), "p99": pytest.approx(2.98)}


def test_many_in_little_memory():
    kept = Intervals([(1, 2)])
    kept.append((3, 1 << 62))
    kept.extend([(5, 6), (0, 0)])
    assert list(kept) == [(1, 2), (3, 1 << 62), (5, 6), (0, 0)] and len(kept) == 4 and (5, 6) in kept and (5, 7) not in kept and not Intervals()

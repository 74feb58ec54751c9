from __future__ import annotations

import pytest

from pycaffe_acc.evaluation.clock import Clock, merged, throughput
from pycaffe_acc.evaluation.intervals import Intervals


def clock(busy, **times):
    return Clock(busy=Intervals(busy), batches=Intervals(busy), **times)


def test_slices_of_one_pipeline_count_once():
    assert merged([(5, 9), (0, 4), (3, 6), (10, 11)]) == [(0, 9), (10, 11)] and merged([]) == []


def test_one_pipeline_gives_both_figures():
    t = throughput([clock([(0, 1_000_000), (2_000_000, 3_000_000)], compute_ns=3_000_000)], 8, 4_000_000)
    assert t.hardware_fps == pytest.approx(4000) == pytest.approx(t.hardware_fps_vendor) and t.end_to_end_fps == pytest.approx(2000)


@pytest.mark.parametrize(("shift", "measured"), [(0, 8000), (500_000, 16000 / 3), (1_000_000, 4000)])
def test_the_vendors_figure_does_not_see_whether_pipelines_overlap(shift, measured):
    """Two pipelines of one batch of 4 images in 1 ms each, at once, half over each other, in turn."""
    t = throughput([clock([(0, 1_000_000)]), clock([(shift, shift + 1_000_000)])], 8, 2_000_000)
    assert t.hardware_fps_vendor == pytest.approx(8000) and t.hardware_fps == pytest.approx(measured)


def test_the_split_is_that_of_an_average_pipeline():
    a = clock([(0, 10)], wait_ns=40, compute_ns=60, decode_ns=30, preprocess_ns=10)
    b = clock([(0, 10)], wait_ns=80, compute_ns=10, copy_out_ns=10)
    t = throughput([a, b], 2, 100)
    ns = {k: round(1e9 * v, 6) for k, v in t.split_seconds.items()}
    assert ns == {"decode": 45, "preprocess": 15, "copy_in": 0, "compute": 35, "copy_out": 5, "post": 0, "other": 0}

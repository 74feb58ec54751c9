from __future__ import annotations

import numpy as np

from pycaffe_acc.runners.number import number, two_places
from pycaffe_acc.runners.top5 import Hits, Ranked, ranking_lines, top5


def test_order_and_ties():
    scores = np.float32([0.1, 0.4, 0.4, 0.9, 0.2, 0.3])
    assert [r.label for r in top5(scores)] == [3, 1, 2, 5, 4]


def test_scores_that_are_not_positive_take_no_place():
    assert top5(np.float32([-1, -2, 0, np.nan, 3])) == [Ranked(3.0, 4)] + [Ranked(0.0, 0)] * 4
    assert top5(np.float32([-1, -0.5])) == [Ranked(0.0, 0)] * 5


def test_lines():
    names = ["tench", "goldfish"]
    assert ranking_lines("a.png", [Ranked(0.91234, 1), Ranked(0.0, 0)], names) == ["", "----- top5 for a.png", "0.9123 - goldfish", "0.0000 - tench"]


def test_hits():
    a, b = Hits(), Hits()
    a.add(top5(np.float32([0.5, 0.2, 0.3])), 0)
    a.add(top5(np.float32([0.5, 0.2, 0.3])), 2)
    b.add(top5(np.float32([-1, -1, -1])), 1)
    b.add(top5(np.float32([-1, -1, -1])), 0)  # the vendor's places begin at class 0
    both = a + b
    assert (both.top1, both.top5, both.images) == (2, 3, 4)
    assert both.lines(7) == ["accuracy1: 0.285714 (2/7)", "accuracy5: 0.428571 (3/7)"]
    assert both.lines(4, ("top1", "top5")) == ["top1: 0.5 (2/4)", "top5: 0.75 (3/4)"]
    assert Hits().lines(0) == ["accuracy1: 0 (0/0)", "accuracy5: 0 (0/0)"]


def test_numbers_are_those_of_a_float_in_a_stream():
    values = (1.1135e8, 10.90581, 0.553, 1234567, 100000, 0.00001234)
    assert [number(v) for v in values] == ["1.1135e+08", "10.9058", "0.553", "1.23457e+06", "100000", "1.234e-05"]
    assert two_places(3124.0549) == "3124.05" and two_places(-1) == "-1.00"

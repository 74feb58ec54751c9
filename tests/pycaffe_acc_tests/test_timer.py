"""The stopwatch."""
from __future__ import annotations

import time

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.timer import Timer


def test_measures_between_start_and_stop():
    timer = Timer()
    timer.start()
    time.sleep(0.02)
    timer.stop()
    first = timer.ms
    assert 19 < first < 2000
    assert timer.ms == first and abs(timer.us - 1000 * first) < 1e-6
    time.sleep(0.01)
    timer.stop()
    assert timer.ms == first


def test_reading_stops_it_and_a_second_start_is_ignored():
    timer = Timer()
    timer.start()
    time.sleep(0.02)
    timer.start()
    assert timer.ms > 19
    timer.start()
    assert 0 < timer.ms < 19


def test_never_run():
    with pytest.raises(CheckError, match="never been run"):
        _ = Timer().ms

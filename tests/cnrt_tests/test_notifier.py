from __future__ import annotations

import threading
import time

import pytest

from cnrt import Notifier, Queue, duration_us
from cnrt.errors import CnrtError, RetCode


def test_durations_are_microseconds():
    start, end = Notifier(), Notifier()
    with Queue() as queue:
        queue.place(start)
        queue.call(lambda: time.sleep(0.02))
        queue.place(end)
        queue.sync()
    assert 20_000 <= duration_us(start, end) < 2_000_000
    assert duration_us(end, start) == -duration_us(start, end)
    assert start.time_source == "host" and not start.simulated


def test_unreached_notifiers():
    start, end = Notifier(), Notifier()
    gate = threading.Event()
    with pytest.raises(CnrtError):
        start.wait()
    with Queue() as queue:
        queue.call(gate.wait)
        queue.place(start)
        assert not start.query()
        for pair in ((start, end), (end, start)):
            with pytest.raises(CnrtError) as e:
                duration_us(*pair)
            assert e.value.code == RetCode.ERR_NOTIFIER
        with pytest.raises(CnrtError) as e:
            start.wait(0.01)
        assert e.value.code == RetCode.ERR_TIMEOUT
        gate.set()
        start.wait()
        assert start.query()


def test_a_queue_waits_for_another():
    order, gate, marker = [], threading.Event(), Notifier()
    with Queue() as one, Queue() as two:
        one.call(gate.wait)
        one.call(lambda: order.append("one"))
        one.place(marker)
        two.wait(marker)
        two.call(lambda: order.append("two"))
        time.sleep(0.02)
        assert order == []
        gate.set()
        two.sync()
        assert order == ["one", "two"]


def test_times_of_different_sources_are_not_mixed():
    a, b = Notifier(), Notifier()
    for notifier, source in ((a, "host"), (b, "model")):
        notifier.expect()
        notifier.reach(source)
    assert b.simulated
    with pytest.raises(CnrtError, match="model"):
        duration_us(a, b)


def test_a_dropped_marker_does_not_hang():
    marker, gate = Notifier(), threading.Event()
    queue = Queue()
    queue.call(gate.wait)
    queue.place(marker)
    queue._close()
    marker.wait(1.0) if marker.time_ns is not None else None
    assert not marker.query() and marker._pending == 0
    gate.set()

"""Runs with a fake clock: to the nanosecond."""
from __future__ import annotations

import threading

import numpy as np
import pytest
from pycaffe_acc_tests.load_tests.fakes import FakeClock, FakeEngine, scores

from pycaffe_acc.load.backlog import Arrivals
from pycaffe_acc.load.clock import WallClock
from pycaffe_acc.load.driver import Driver
from pycaffe_acc.load.performance_run import performance_run
from pycaffe_acc.load.query import Query
from pycaffe_acc.load.run_log import MOST_FAILURES, RunLog
from pycaffe_acc.load.scenario import Scenario, Settings


def server(moments, clock, engine, log=None, **kwargs):
    """Drive one engine through given arrivals."""
    queries = [Query(i, (i,), m, True) for i, m in enumerate(moments)]
    return Driver(Arrivals(queries, **kwargs), log or RunLog(), clock).run([engine])


def test_latency_counts_from_the_scheduled_arrival_even_while_the_engine_stalls():
    clock = FakeClock()
    engine = FakeEngine(clock, lambda call, samples: 1000 if call == 0 else 10)
    log = server([0, 100, 200], clock, engine)
    assert [(s.scheduled_ns, s.started_ns, s.finished_ns) for s in log.served] == [(0, 0, 1000), (100, 1000, 1010), (200, 1010, 1020)]
    assert log.wall_ns == 1020 and log.ended_ns == 1020 and engine.bound == 1


def test_an_idle_engine_sleeps_until_the_next_arrival():
    clock = FakeClock()
    log = server([50, 500], clock, FakeEngine(clock, 20))
    assert [(s.started_ns, s.finished_ns) for s in log.served] == [(50, 70), (500, 520)] and clock.slept == [50, 430]


def test_dynamic_batches():
    clock = FakeClock()
    engine = FakeEngine(clock, lambda call, samples: 100 + 10 * len(samples))
    log = server([0, 10, 20, 30, 400], clock, engine, max_batch=3, delay_ns=50)
    assert engine.batches == [(0, 1, 2), (3,), (4,)]
    assert [(s.started_ns, s.finished_ns) for s in log.served] == [(20, 150)] * 3 + [(150, 260), (450, 560)]
    assert log.batches == {3: 1, 1: 2} and log.images == 5


def test_a_failed_query_is_listed_and_the_run_goes_on():
    clock = FakeClock()
    log = server([0, 10, 20, 30], clock, FakeEngine(clock, 5, fail=[1]))
    assert [f._asdict() for f in log.failures] == [{"number": 1, "samples": (1,), "reason": "RuntimeError: call 1 went wrong"}]
    assert [s.number for s in log.served] == [0, 2, 3] and not log.stopped


def test_a_failed_batch_fails_all_its_queries():
    clock = FakeClock()
    log = server([0, 1, 2, 90], clock, FakeEngine(clock, 5, fail=[0]), max_batch=3, delay_ns=10)
    assert [f.number for f in log.failures] == [0, 1, 2] and [s.number for s in log.served] == [3]


def test_an_answer_of_the_wrong_shape_is_a_failure():
    clock = FakeClock()
    log = server([0, 1], clock, FakeEngine(clock, 5, answer={1: np.zeros((2, 10), np.float32)}))
    assert len(log.served) == 1 and "shape (2, 10) for 1 images" in log.failures[0].reason


def test_an_engine_that_always_fails_ends_the_run():
    clock = FakeClock()
    figures = performance_run(Settings(Scenario.SINGLE_STREAM, 1e6, 1), [FakeEngine(clock, 5, fail=range(2 * MOST_FAILURES))], [0], clock=clock)
    assert len(figures.log.failures) == MOST_FAILURES
    assert figures.reasons()[0] == f"the run ended early: {MOST_FAILURES} queries failed" and figures.metric()["value"] == float("inf")


def test_answers_are_compared_inside_the_run():
    clock, seen = FakeClock(), []

    def difference(sample, values):
        seen.append(sample)
        return None if values.argmax() == sample % 10 else f"image {sample}: wrong"

    log = RunLog(difference)
    server([0, 1, 2], clock, FakeEngine(clock, 5, answer={2: scores([9])}), log)
    assert seen == [0, 1, 2] and log.checked == 3 and log.mismatches == ["query 2, image 2: wrong"]


def test_queries_that_are_not_marked_are_not_compared():
    clock = FakeClock()
    figures = performance_run(Settings(Scenario.SINGLE_STREAM, 0.0, 1000, check_share=0.2), [FakeEngine(clock)], range(10),
                              lambda sample, values: None, clock)
    assert 140 < figures.log.checked < 260 and figures.log.images == 1000


def test_ctrl_c_keeps_what_was_answered():
    def stall(call, samples):
        if call == 3:
            raise KeyboardInterrupt
        return 5

    clock = FakeClock()
    log = server(range(10), clock, FakeEngine(clock, stall))
    assert [s.number for s in log.served] == [0, 1, 2] and log.stopped == "interrupted"


def test_several_engines_share_the_queries():
    class Meeting(FakeEngine):
        def answer(self, samples):
            if not self.calls:  # both have a query at the same time
                meeting.wait(timeout=20)
            return super().answer(samples)

    meeting, clock = threading.Barrier(2), WallClock()
    engines = [Meeting(FakeClock()), Meeting(FakeClock())]
    log = Driver(Arrivals([Query(i, (i,), 1000 * i, False) for i in range(200)]), RunLog(), clock).run(engines)
    assert sorted(s.number for s in log.served) == list(range(200)) and all(e.calls and e.bound == 1 for e in engines)
    assert all(s.scheduled_ns <= s.started_ns <= s.finished_ns for s in log.served)


def test_a_defect_of_the_run_is_raised_from_every_worker():
    class Broken:
        planned = None

        def take(self, now_ns):
            raise ZeroDivisionError

    for count in (1, 3):
        with pytest.raises(ZeroDivisionError):
            Driver(Broken(), RunLog(), FakeClock()).run([FakeEngine(FakeClock()) for _ in range(count)])


def test_the_wall_clock_sleeps_in_short_pieces():
    clock = WallClock()
    start = clock.now_ns()
    clock.sleep_until(start + 2_000_000)
    assert clock.now_ns() - start >= 2_000_000
    start = clock.now_ns()
    clock.sleep_until(start + 3600 * 10**9)
    assert clock.now_ns() - start >= 90_000_000  # and came back long before the hour
    clock.sleep_until(start)

"""Figures of runs, the search for the highest rate, the harness."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.load_tests.fakes import FakeClock, FakeEngine

from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.figures import BoundWatch
from pycaffe_acc.load.performance_run import capacity, find_qps, harness_us, performance_run
from pycaffe_acc.load.query import Served
from pycaffe_acc.load.run_log import RunLog
from pycaffe_acc.load.scenario import Scenario, Settings

MS = 1_000_000


def run(settings, service_ns, difference=None, give_up=False, **kwargs):
    """One run with a fake engine."""
    clock = FakeClock()
    return performance_run(settings, [FakeEngine(clock, service_ns, **kwargs)], range(10), difference, clock, give_up)


def test_single_stream():
    figures = run(Settings(Scenario.SINGLE_STREAM, 0.1, 5, percentile=90.0), lambda call, s: (10 if call % 10 == 9 else 2) * MS)
    assert figures.queries == 38 and figures.seconds == pytest.approx(0.1)  # three tens of 28 ms, and eight of 2 ms
    assert figures.metric() == {"name": "p90 latency", "value": 2.0, "unit": "ms"} and figures.reasons() == []
    found = figures.to_dict()
    assert found["latency_ms"]["p95"] == 10.0 and found["queue_ms"]["max"] == 0 and found["latency_ms"] == found["service_ms"]
    assert found["mean_batch"] == 1 and found["filling_share"] == 0 and "early-stopping" in found["percentile_rule"]


def test_multi_stream_counts_queries_and_images():
    figures = run(Settings(Scenario.MULTI_STREAM, 0.0, 20, samples_per_query=8, max_batch=8), 4 * MS)
    assert figures.queries == 20 and figures.log.images == 160 and figures.metric()["name"] == "p99 latency"
    assert figures.images_per_second == pytest.approx(2000.0)


def test_offline_is_a_throughput():
    figures = run(Settings(Scenario.OFFLINE, 0.01, 10, max_batch=4), 2 * MS)
    found = figures.to_dict()
    assert found["metric"] == {"name": "images per second", "value": pytest.approx(2000.0), "unit": "1/s"}
    assert found["latency_ms"] is None and found["queue_ms"] is None and found["histogram_of"] == "service" and found["batches"] == {"4": 5}


def test_server_splits_latency_into_queue_and_service():
    figures = run(Settings(Scenario.SERVER, 0.5, 10, qps=100.0, bound_ms=50.0), 5 * MS)
    latency, queue, service = (figures.times_ns(w) for w in ("latency", "queue", "service"))
    np.testing.assert_array_equal(latency, queue + service)
    assert set(service.tolist()) == {5 * MS} and queue.min() == 0 < queue.max() and figures.reasons() == []
    assert figures.metric()["value"] == 100.0


def test_an_overloaded_server_is_invalid():
    figures = run(Settings(Scenario.SERVER, 1.0, 10, qps=400.0, bound_ms=20.0), 5 * MS)
    assert figures.reasons() == [f"p99 of the latency is {figures.tail_ms:.3f} ms; the bound is 20 ms"] and figures.tail_ms > 500


def test_reasons():
    settings = Settings(Scenario.SINGLE_STREAM, 0.0, 20)
    failed = run(settings, MS, fail=[4])
    assert failed.reasons() == ["1 queries failed, the first (query 4) with RuntimeError: call 4 went wrong"]
    wrong = run(settings, MS, lambda sample, values: f"image {sample}: other")
    assert len(wrong.reasons()) == 1 and "compared answers differ" in wrong.reasons()[0]
    assert wrong.to_dict()["mismatches"] == wrong.log.checked > 0


def test_a_hopeless_run_is_given_up_but_only_then():
    settings = Settings(Scenario.SERVER, 1.0, 10, qps=400.0, bound_ms=20.0)
    given_up, whole = run(settings, 5 * MS, give_up=True), run(settings, 5 * MS)
    assert given_up.queries < whole.queries and "exceeded the latency bound" in given_up.log.stopped
    fine = Settings(Scenario.SERVER, 1.0, 10, qps=50.0, bound_ms=20.0)
    assert run(fine, 5 * MS, give_up=True).to_dict() == run(fine, 5 * MS).to_dict()


def test_the_watch_allows_what_the_percentile_allows():
    settings, log = Settings(Scenario.SERVER, qps=1.0, bound_ms=1.0, percentile=90.0), RunLog()
    watch = BoundWatch(settings, 20)
    for number, late in enumerate([True, False, True, True]):
        log.served.append(Served(number, 1, 0, 0, 2 * MS if late else MS))
        assert bool(watch(log)) == (number == 3)


def test_the_search_finds_where_latency_breaks():
    """A batch-less server of 5 ms a query: a queue with a known limit of 200 queries per second, never reached under a bound."""
    clock, settings = FakeClock(), Settings(Scenario.SERVER, 5.0, 200, qps=1.0, bound_ms=40.0)
    search = find_qps(settings, lambda s: performance_run(s, [FakeEngine(clock, 5 * MS)], range(10), clock=clock, give_up=True), 30.0)
    best = search.figures.settings.qps
    assert 80 < best < 200 and search.figures.reasons() == [] and search.figures.tail_ms <= 40.0
    assert min(t.qps for t in search.trials if not t.valid) <= best * 1.05
    assert best == max(t.qps for t in search.trials if t.valid) and all(t.reasons for t in search.trials if not t.valid)
    assert [t.qps for t in search.trials[:3]] == [30.0, 60.0, 120.0]


def test_the_search_comes_down_from_a_rate_that_is_too_high():
    clock, settings = FakeClock(), Settings(Scenario.SERVER, 1.0, 100, qps=1.0, bound_ms=40.0)
    search = find_qps(settings, lambda s: performance_run(s, [FakeEngine(clock, 5 * MS)], range(10), clock=clock, give_up=True), 5000.0)
    assert search.figures.reasons() == [] and search.trials[0].valid is False and search.trials[1].qps == 2500.0


def test_a_bound_that_no_rate_keeps():
    clock, settings = FakeClock(), Settings(Scenario.SERVER, 0.1, 10, qps=1.0, bound_ms=1.0)
    search = find_qps(settings, lambda s: performance_run(s, [FakeEngine(clock, 5 * MS)], range(10), clock=clock), 100.0)
    assert [t.qps for t in search.trials] == [100.0, 50.0, 25.0, 12.5]  # at half of that, ten queries would take 1.6 s instead of 0.1 s
    assert not any(t.valid for t in search.trials) and search.figures.reasons()


def test_runs_that_are_too_short_for_the_bound_are_refused():
    with pytest.raises(CheckError, match="a run of 1 s cannot show which rate keeps a bound of 200.0 ms"):
        find_qps(Settings(Scenario.SERVER, 1.0, 10, qps=1.0, bound_ms=200.0), lambda s: None, 1.0)


def test_the_search_ends_at_a_failure():
    clock, settings = FakeClock(), Settings(Scenario.SERVER, 0.1, 10, qps=1.0, bound_ms=10.0)
    search = find_qps(settings, lambda s: performance_run(s, [FakeEngine(clock, MS, fail=[5])], range(10), clock=clock), 50.0)
    assert len(search.trials) == 1 and "failed" in search.figures.reasons()[0]


def test_capacity_is_the_offline_rate():
    clock = FakeClock()
    assert capacity(Settings(Scenario.SERVER, qps=1.0, max_batch=8), [FakeEngine(clock, 4 * MS)], range(10), clock) == pytest.approx(2000.0)


def test_the_harness_is_measured():
    assert 0 < harness_us() < 100_000

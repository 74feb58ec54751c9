"""Who gets which queries when."""
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pycaffe_acc.load.backlog import Arrivals, Endless, Wait, open_backlog
from pycaffe_acc.load.query import Query
from pycaffe_acc.load.scenario import Scenario, Settings


def arrivals(moments, **kwargs):
    """A Server's backlog of one image a query."""
    return Arrivals([Query(i, (i,), m, False) for i, m in enumerate(moments)], **kwargs)


def numbers(step):
    """The numbers of a batch's queries."""
    return [q.number for q in step]


def test_one_at_a_time_without_batching():
    backlog = arrivals([10, 20, 20])
    assert backlog.take(0) == Wait(10) and numbers(backlog.take(10)) == [0]
    assert backlog.take(15) == Wait(20) and numbers(backlog.take(30)) == [1] and numbers(backlog.take(30)) == [2]
    assert backlog.take(30) is None and backlog.planned == 3


def test_without_delay_a_batch_takes_what_waits():
    backlog = arrivals([10, 20, 30, 40, 50], max_batch=3)
    assert numbers(backlog.take(25)) == [0, 1]
    assert numbers(backlog.take(99)) == [2, 3, 4]


def test_a_batch_is_held_back_until_it_is_full_or_its_oldest_query_has_waited():
    backlog = arrivals([10, 20, 300], max_batch=2, delay_ns=100)
    assert backlog.take(12) == Wait(20)  # full by then
    assert numbers(backlog.take(20)) == [0, 1]
    assert backlog.take(20) == Wait(400) and backlog.take(399) == Wait(400)  # nobody knows that no more will come
    assert numbers(backlog.take(400)) == [2] and backlog.take(400) is None


def test_the_delay_counts_from_the_arrival_not_from_the_asking():
    backlog = arrivals([10, 500], max_batch=4, delay_ns=100)
    assert numbers(backlog.take(200)) == [0]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=40), st.integers(1, 5), st.integers(0, 60), st.lists(st.integers(1, 40), min_size=1))
def test_every_query_is_given_out_once_in_order_and_never_early(gaps, max_batch, delay, services):
    moments = [sum(gaps[:i + 1]) for i in range(len(gaps))]
    backlog, now, seen, turn = arrivals(moments, max_batch=max_batch, delay_ns=delay), 0, [], 0
    while (step := backlog.take(now)) is not None:
        if isinstance(step, Wait):
            assert step.until_ns > now
            now = step.until_ns
            continue
        assert 1 <= len(step) <= max_batch and all(q.scheduled_ns <= now for q in step)
        full = len(step) == max_batch
        assert full or now >= step[0].scheduled_ns + delay
        seen += numbers(step)
        now, turn = now + services[turn % len(services)], turn + 1
    assert seen == list(range(len(moments)))


def test_a_stream_goes_on_until_time_and_number_are_reached():
    backlog = Endless(Settings(Scenario.MULTI_STREAM, 1e-6, 3, samples_per_query=4, max_batch=4), [7, 8, 9])
    steps = [backlog.take(now) for now in (0, 400, 999, 1000)]
    assert [numbers(s) for s in steps[:3]] == [[0], [1], [2]] and steps[3] is None
    assert [s[0].scheduled_ns for s in steps[:3]] == [0, 400, 999]
    assert all(len(s[0].samples) == 4 and set(s[0].samples) <= {7, 8, 9} for s in steps[:3])
    short = Endless(Settings(Scenario.SINGLE_STREAM, 0.0, 2), [0])
    assert short.take(10**12) and short.take(10**12) and short.take(10**12) is None


def test_offline_gives_full_batches_of_images_that_all_came_at_the_beginning():
    backlog = Endless(Settings(Scenario.OFFLINE, 0.0, 5, max_batch=3), range(10))
    first, second = backlog.take(100), backlog.take(200)
    assert numbers(first) == [0, 1, 2] and numbers(second) == [3, 4, 5] and backlog.take(300) is None
    assert {q.scheduled_ns for q in first + second} == {0} and all(len(q.samples) == 1 for q in first)


def test_the_same_seed_gives_the_same_queries():
    one, two, other = (open_backlog(Settings(Scenario.SERVER, 0.0, 50, seed, 0.5, qps=100.0), range(20)) for seed in (4, 4, 5))
    now = 10**12
    first, second, third = ([b.take(now) for _ in range(50)] for b in (one, two, other))
    assert first == second != third and any(q[0].checked for q in first) and not all(q[0].checked for q in first)

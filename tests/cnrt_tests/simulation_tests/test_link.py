"""Sharing of capacities, and the order of events."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnrt.simulation.events import Demand, Pool, Process, Simulation, Take, Work
from cnrt.simulation.link import Link, shares


@pytest.mark.parametrize(("asked", "given_"), [
    ([(1000.0, 1.0)], [100.0]), ([(30.0, 1.0)], [30.0]), ([(1000.0, 1.0), (1000.0, 1.0)], [50.0, 50.0]),
    ([(20.0, 1.0), (1000.0, 1.0)], [20.0, 80.0]), ([(1000.0, 3.0), (1000.0, 1.0)], [75.0, 25.0]), ([], [])])
def test_shares(asked, given_):
    assert shares(100.0, asked) == pytest.approx(given_)


@given(st.lists(st.tuples(st.floats(0.1, 1e6), st.floats(0.1, 100)), min_size=1, max_size=12), st.floats(1, 1e5))
def test_shares_use_the_capacity_and_no_more(asked, capacity):
    dealt = shares(capacity, asked)
    assert all(0 <= d <= most * (1 + 1e-9) for d, (most, _) in zip(dealt, asked, strict=True))
    assert sum(dealt) == pytest.approx(min(capacity, sum(most for most, _ in asked)))


def finish_times(*starts):
    """When flows of a link of 100 end: (start, amount, most) each."""
    simulation, link, ends = Simulation(), Link(100.0), {}

    def flow(number: int, start: float, amount: float, most: float) -> Process:
        yield Work(seconds=start)
        yield Work([Demand(link, amount, most)])
        ends[number] = simulation.now
    for number, words in enumerate(starts):
        simulation.start(flow(number, *words))
    simulation.run()
    assert link.moved == pytest.approx(sum(amount for _, amount, _ in starts))
    return [ends[i] for i in range(len(starts))]


def test_flows_share_while_both_are_there():
    assert finish_times((0, 100, 1000)) == [1.0]
    assert finish_times((0, 100, 1000), (0, 100, 1000)) == [2.0, 2.0]
    # alone for half a second, then together until one has moved what was left, then alone again
    assert finish_times((0, 100, 1000), (0.5, 100, 1000)) == pytest.approx([1.5, 2.0])
    assert finish_times((0, 100, 20), (0, 80, 1000)) == pytest.approx([5.0, 1.0])


def test_nothing_to_move_takes_no_time():
    assert finish_times((2, 0, 10)) == [2.0]


def test_pools_serve_in_order():
    simulation, order = Simulation(), []
    pool = Pool(simulation, 2)

    def worker(name: str, places: int) -> Process:
        yield Take(pool, places)
        order.append((name, simulation.now))
        yield Work(seconds=1.0)
        pool.give(places)
    for name, places in (("a", 1), ("b", 2), ("c", 1)):
        simulation.start(worker(name, places))
    assert simulation.run() == 3.0
    assert order == [("a", 0.0), ("b", 1.0), ("c", 2.0)]  # c could have gone before b, which was there first
    assert pool.free == 2


def test_work_ends_with_its_slowest_part():
    simulation, link, ends = Simulation(), Link(10.0), []

    def once(seconds: float) -> Process:
        yield Work([Demand(link, 20.0, 10.0)], seconds)
        ends.append(simulation.now)
    simulation.start(once(5.0))
    simulation.run()
    simulation.start(once(0.5))
    simulation.run()
    assert ends == [5.0, 7.0]

"""Something that several share at once, each at a rate of its own: a DDR channel, a port, a bus."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnrt.simulation.events import Simulation


class _Flow:
    __slots__ = ("left", "most", "weight", "done", "rate", "ends")

    def __init__(self, amount: float, most: float, weight: float, done: Callable[[], None]):
        self.left, self.most, self.weight, self.done = amount, most, weight, done
        self.rate, self.ends = 0.0, 0.0


class Link:
    """Shares a capacity among flows: in proportion to their weights, but none gets more than it can take, and what it leaves goes to the others.

    Parameters
    ----------
    capacity : float
        A second.

    Attributes
    ----------
    moved : float
        So far.
    """

    def __init__(self, capacity: float):
        self.capacity = capacity
        self.moved = 0.0
        self._flows: list[_Flow] = []
        self._since, self._version = 0.0, 0

    def start(self, simulation: Simulation, amount: float, most: float, weight: float, done: Callable[[], None]) -> None:
        """Begin to move an amount; `done` is called at its end."""
        if amount <= 0.0:
            simulation.after(0.0, done)
            return
        self._settle(simulation.now)
        self._flows.append(_Flow(amount, most, weight, done))
        self._share(simulation)

    def _settle(self, now: float) -> None:
        passed = now - self._since
        for flow in self._flows:
            flow.left -= flow.rate * passed
            self.moved += flow.rate * passed
        self._since = now

    def _share(self, simulation: Simulation) -> None:
        for flow, rate in zip(self._flows, shares(self.capacity, [(f.most, f.weight) for f in self._flows]), strict=True):
            flow.rate = rate
            flow.ends = simulation.now + max(0.0, flow.left) / rate
        self._version += 1
        version = self._version
        if self._flows:
            simulation.after(min(f.ends for f in self._flows) - simulation.now, lambda: self._finish(simulation, version))

    def _finish(self, simulation: Simulation, version: int) -> None:
        if version != self._version:
            return  # the rates were dealt anew since
        first = min(f.ends for f in self._flows)
        self._settle(simulation.now)
        ended = [f for f in self._flows if f.ends <= first]
        self._flows = [f for f in self._flows if f.ends > first]
        self._share(simulation)
        for flow in ended:
            flow.done()


def shares(capacity: float, asked: Sequence[tuple[float, float]]) -> list[float]:
    """Deal out a capacity.

    Parameters
    ----------
    capacity : float
    asked : sequence of (most, weight)

    Returns
    -------
    list of float
        For each: its most, or what its weight entitles it to of what the modest ones left.
    """
    given = [0.0] * len(asked)
    weight = sum(w for _, w in asked)
    for i in sorted(range(len(asked)), key=lambda i: (asked[i][0] / asked[i][1], i)):  # the modest ones first
        most, own = asked[i]
        given[i] = min(most, capacity * own / max(weight, own))
        capacity -= given[i]
        weight -= own
    return given

"""A small discrete-event simulator: processes are generators, which yield what they wait for.

Nothing in it depends on the machine, on threads or on hashing: the same processes give the same times, to the bit.
"""
from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from cnrt.simulation.link import Link


class Demand(NamedTuple):
    """Work for a link.

    Attributes
    ----------
    link : Link
    amount : float
    most : float
        The rate that it can take at most.
    weight : float
        Its share where the link is crowded.
    """

    link: Link
    amount: float
    most: float
    weight: float = 1.0


class Work(NamedTuple):
    """Demands that go on beside each other, for at least some seconds; the process goes on when all are met."""

    demands: Sequence[Demand] = ()
    seconds: float = 0.0


class Take(NamedTuple):
    """Wait for places of a pool."""

    pool: Pool
    places: int = 1


Process = Generator["Work | Take", None, None]


class Pool:
    """A number of places, given to those who wait in their order.

    Parameters
    ----------
    simulation : Simulation
    places : int
    """

    def __init__(self, simulation: Simulation, places: int):
        self._simulation, self.free = simulation, places
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()

    def take(self, places: int, then: Callable[[], None]) -> None:
        """Call `then` when the places are the caller's."""
        self._waiting.append((places, then))
        self._grant()

    def give(self, places: int = 1) -> None:
        """Give places back."""
        self.free += places
        self._grant()

    def _grant(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.free:
            places, then = self._waiting.popleft()
            self.free -= places
            self._simulation.after(0.0, then)


class Simulation:
    """Time, and what happens when.

    Attributes
    ----------
    now : float
        Seconds.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` that many seconds from now; calls for one moment come in the order in which they were asked for."""
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, then))

    def start(self, process: Process) -> None:
        """Let a process run from now on."""
        self.after(0.0, lambda: self._resume(process))

    def run(self) -> float:
        """Go on until nothing is left to happen.

        Returns
        -------
        float
            Seconds at the end.
        """
        while self._events:
            self.now, _, then = heapq.heappop(self._events)
            then()
        return self.now

    def _resume(self, process: Process) -> None:
        wish = next(process, None)
        if wish is None:
            return
        if isinstance(wish, Take):
            wish.pool.take(wish.places, lambda: self._resume(process))
            return
        left = 1 + len(wish.demands)

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._resume(process)

        for demand in wish.demands:
            demand.link.start(self, demand.amount, demand.most, demand.weight, done)
        self.after(wish.seconds, done)

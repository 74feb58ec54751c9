"""The clock of a virtual card: how long an invocation on one of its queues takes."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from cnrt.simulation.events import Process, Simulation
from cnrt.simulation.invocation import CardState, invocation

#: invocations in a row after which a queue's time no longer changes; the first may find cores free that are busy later
_ROUNDS = 4
_REMEMBERED = 4096


class Company(NamedTuple):
    """Queues that are busy all the time beside the one that asks.

    Attributes
    ----------
    channels : tuple of int
        Where each of them has its memory.
    """

    channels: tuple[int, ...] = ()


NOBODY = Company()


class Clock:
    """Answers with simulated time.

    What runs beside an invocation is what was declared, never what happened to run on the host at that moment: so times do not depend on the host.
    Company is taken to run the same function over and over again.

    Parameters
    ----------
    card : CardModel
    """

    def __init__(self, card: CardModel):
        self.card = card
        self._known: dict[tuple[tuple[Cost, ...], Launch, int, Company], int] = {}
        self.reset()

    def reset(self) -> None:
        """As new in a process that was forked: nobody is asking."""
        self._lock = threading.Lock()

    def invocation_ns(self, costs: tuple[Cost, ...], launch: Launch, channel: int, company: Company = NOBODY) -> int:
        """Nanoseconds from when an invocation could begin to its end.

        Parameters
        ----------
        costs : tuple of Cost
        launch : Launch
        channel : int
            Negative: the first.
        company : Company

        Raises
        ------
        CnrtError
            UNSUPPORTED for a type in which the card does not compute.
        """
        key = (costs, launch, max(0, channel), company)
        with self._lock:
            if key not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = round(1e9 * steady_seconds(self.card, costs, launch, max(0, channel), company))
            return self._known[key]


def steady_seconds(card: CardModel, costs: Sequence[Cost], launch: Launch, channel: int, company: Company) -> float:
    """Mean time of an invocation in the long run."""
    simulation = Simulation()
    state = CardState(simulation, card)
    times: list[float] = []

    def queue(at: int, own: bool) -> Process:
        for _ in range(_ROUNDS if company.channels else 1):
            yield from invocation(state, costs, launch, at, times.append if own else None)
    simulation.start(queue(channel, True))
    for at in company.channels:
        simulation.start(queue(at, False))
    simulation.run()
    settled = times[1:] or times
    return sum(settled) / len(settled)

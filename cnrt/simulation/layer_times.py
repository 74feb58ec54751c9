"""Time of each instruction of a function alone: what `time` and the vendor's layer-by-layer mode show."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from cnrt.simulation.events import Process, Simulation
from cnrt.simulation.invocation import CardState, step
from cnrt.simulation.roofline import share


class LayerTime(NamedTuple):
    """One instruction on a card.

    Attributes
    ----------
    cost : Cost
    seconds : float
        Simulated.
    bound : str
        What ends it: "arithmetic", "memory", or "overhead" where what every instruction costs is more than half of it.
    """

    cost: Cost
    seconds: float
    bound: str


def layer_times(costs: Sequence[Cost], card: CardModel, launch: Launch, channel: int = 0) -> list[LayerTime]:
    """Simulated time of each instruction of a function that has the card to itself; with the launch, they sum to the invocation.

    Parameters
    ----------
    costs : sequence of Cost
    card : CardModel
    launch : Launch
    channel : int
    """
    found = []
    for cost in costs:
        simulation = Simulation()
        state = CardState(simulation, card)

        def once(cost: Cost = cost, state: CardState = state) -> Process:
            yield step(state, cost, launch, channel, state.places(channel, launch.cores))
        simulation.start(once())
        seconds = simulation.run()
        found.append(LayerTime(cost, seconds, _bound(seconds, share(cost, card, launch).seconds, card)))
    return found


def _bound(seconds: float, arithmetic: float, card: CardModel) -> str:
    overhead = card.instruction_seconds
    if 2 * overhead > seconds:
        return "overhead"
    return "memory" if seconds > arithmetic + overhead + card.barrier_seconds else "arithmetic"

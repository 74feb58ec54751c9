"""An invocation on a card as a process: cores are taken, instructions run one behind another on all of them, cores are given back."""
from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from cnrt.simulation.events import Demand, Pool, Process, Simulation, Take, Work
from cnrt.simulation.link import Link
from cnrt.simulation.roofline import Share, share, spread


class CardState:
    """A card in a simulation: cores and DDR of each channel, ports between channels, the bus to the host.

    Parameters
    ----------
    simulation : Simulation
    card : CardModel
    """

    def __init__(self, simulation: Simulation, card: CardModel):
        self.simulation, self.card = simulation, card
        self.cores = [Pool(simulation, card.cores_per_channel) for _ in range(card.channels)]
        self.ddr = [Link(card.ddr_bytes_per_second * card.ddr_efficiency) for _ in range(card.channels)]
        self.ports = [Link(card.noc_bytes_per_second) for _ in range(card.channels)]
        self.free = [list(range(c * card.cores_per_channel, (c + 1) * card.cores_per_channel)) for c in range(card.channels)]
        self.functions, self.busy = [0] * card.cores, [0.0] * card.cores
        self.to_card, self.to_host = Link(card.pcie_bytes_per_second), Link(card.pcie_bytes_per_second)

    def book(self, places: Sequence[int]) -> list[int]:
        """The numbers of cores that were taken, the lowest free ones of each channel."""
        held = []
        for free, cores in zip(self.free, places, strict=True):
            held += free[:cores]
            del free[:cores]
        return held

    def give(self, held: Sequence[int], seconds: float) -> None:
        """Give cores back, and count what they did."""
        for core in held:
            self.functions[core] += 1
            self.busy[core] += seconds
            channel = core // self.card.cores_per_channel
            insort(self.free[channel], core)
            self.cores[channel].give()

    def places(self, channel: int, cores: int) -> list[int]:
        """Cores on each channel: its own first, then those behind it."""
        found = [0] * self.card.channels
        for i in range(self.card.channels):
            at = (channel + i) % self.card.channels
            found[at] = min(self.card.cores_per_channel, cores)
            cores -= found[at]
        return found


def invocation(state: CardState, costs: Sequence[Cost], launch: Launch, channel: int, took: Callable[[float], None] | None = None) -> Process:
    """One run of a function.

    Parameters
    ----------
    state : CardState
    costs : sequence of Cost
    launch : Launch
    channel : int
        Where its memory is.
    took : callable, optional
        Gets the seconds from the moment it was asked for to its end, waiting for cores included.
    """
    card, begin = state.card, state.simulation.now
    places = state.places(channel, launch.cores)
    for pool, cores in zip(state.cores, places, strict=True):  # in the order of channels, so that no two can wait for each other
        if cores:
            yield Take(pool, cores)
    held, start = state.book(places), state.simulation.now
    yield Work(seconds=card.launch_seconds)
    for cost in costs:
        yield step(state, cost, launch, channel, places)
    state.give(held, state.simulation.now - start)
    if took is not None:
        took(state.simulation.now - begin)


def step(state: CardState, cost: Cost, launch: Launch, channel: int, places: list[int]) -> Work:
    """One instruction: arithmetic and memory go on beside each other on every core, and the slowest core ends it. `places` are the cores on each
    channel.
    """
    card = state.card
    _, sharing = spread(cost, launch)
    part = share(cost, card, launch)
    seconds = part.seconds + card.instruction_seconds + (card.barrier_seconds if sharing > 1 else 0.0)
    return Work(list(_demands(state, part, launch, channel, places)), seconds)


def _demands(state: CardState, part: Share, launch: Launch, channel: int, places: list[int]) -> Iterator[Demand]:
    """What an instruction asks of DDR and of the ports. With one core an image, memory is that of the function's channel; with several, it is spread
    over the channels that the cores are on; some cards always spread it over all.
    """
    card = state.card
    homes = list(range(card.channels)) if card.interleaved else [channel] if launch.model == 1 else [c for c, n in enumerate(places) if n]
    for at, cores in enumerate(places):
        if not cores or part.weight_bytes + part.value_bytes <= 0.0:
            continue
        readers = 1.0 + card.weight_sharing * (cores - 1)
        moved = part.weight_bytes * readers + part.value_bytes * cores
        most = card.core_bytes_per_second * moved / (part.weight_bytes + part.value_bytes)
        for home in homes:
            yield Demand(state.ddr[home], moved / len(homes), most / len(homes), float(cores))
        away = moved * sum(home != at for home in homes) / len(homes)
        if away > 0.0:
            yield Demand(state.ports[at], away, most, float(cores))

"""A whole program on a card: threads that prepare batches, copy them in, run a function, and copy results out."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnrt.card_model import CardModel
from cnrt.cost import ALONE, Cost, Launch
from cnrt.errors import CnrtError, RetCode
from cnrt.simulation.events import Demand, Pool, Process, Simulation, Take, Work
from cnrt.simulation.invocation import CardState, invocation
from cnrt.simulation.link import Link

#: batches of each thread that are simulated; longer runs go on as these do
_MOST_ROUNDS = 24
STAGES = ("load", "convert_in", "copy_in", "compute", "copy_out", "convert_out")


@dataclass(frozen=True)
class Feed:
    """What goes in and out with each image.

    Attributes
    ----------
    in_host_bytes, in_card_bytes, out_host_bytes, out_card_bytes : float
        An image's, as the host and the card hold it.
    convert : bool
        Whether host and card hold them differently, so that the host converts.
    pixels : float
        Of a picture that a thread reads, decodes and resizes; 0 when inputs lie ready in memory.
    pipelined : bool
        Whether loading, computing and fetching have a thread each (the vendor's multicore programs), or one does all.
    online : bool
        Whether a framework stands between program and function.
    fifo : int
        Batches that may wait between two threads.
    """

    in_host_bytes: float = 0.0
    in_card_bytes: float = 0.0
    out_host_bytes: float = 0.0
    out_card_bytes: float = 0.0
    convert: bool = True
    pixels: float = 0.0
    pipelined: bool = False
    online: bool = False
    fifo: int = 2


@dataclass(frozen=True)
class Simulated:
    """Simulated figures of a program.

    Attributes
    ----------
    images : int
        Of the simulated part.
    seconds : float
        From the first thread's start to the last one's end.
    hardware_seconds : float
        Sum of the times between the notifiers around each invocation, over all threads.
    busy_seconds : float
        Time in which any thread's invocation was under way.
    threads : int
    latencies : tuple of float
        Seconds of each batch from its load to its result.
    split : dict of str to float
        Seconds of all threads by stage (`STAGES`).
    cores : tuple of (int, float)
        For each core how many invocations it took part in, and for how many seconds.
    """

    images: int
    seconds: float
    hardware_seconds: float
    busy_seconds: float
    threads: int
    latencies: tuple[float, ...]
    split: dict[str, float] = field(default_factory=dict)
    cores: tuple[tuple[int, float], ...] = ()

    @property
    def hardware_fps(self) -> float:
        """The vendor's formula: images / sum of notifier times * threads."""
        return self.images / self.hardware_seconds * self.threads

    @property
    def end_to_end_fps(self) -> float:
        """Images / wall time."""
        return self.images / self.seconds


def simulate(costs: Sequence[Cost], card: CardModel, launch: Launch = ALONE, threads: int = 1, batch: int = 1, batches: int | None = None,
             feed: Feed | None = None, channels: Sequence[int] | None = None) -> Simulated:
    """What a program would take; nothing is computed but time.

    Parameters
    ----------
    costs : sequence of Cost
        Of one invocation, as `launch` reads them.
    card : CardModel
    launch : Launch
    threads : int
        Programs beside each other, each with its own queue.
    batch : int
        Images of one invocation, all slices together.
    batches : int, optional
        Of each thread; many, if not given.
    feed : Feed, optional
        Without it, only the card works.
    channels : sequence of int, optional
        For each thread; the vendor's programs take them in turn.

    Returns
    -------
    Simulated

    Raises
    ------
    CnrtError
        INVALID for numbers that the card has not, UNSUPPORTED for a type in which it does not compute.
    """
    if threads < 1 or batch < 1 or launch.data < 1 or launch.model < 1 or launch.cores > card.cores:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to simulate {threads} threads with batches of {batch} on {launch.data} x {launch.model} cores "
                        f"of {card.name}: it takes at least one of each and has {card.cores} cores")
    run = _Run(costs, card, launch, batch, feed or Feed(convert=False))
    rounds = min(_MOST_ROUNDS, batches or _MOST_ROUNDS)
    for i in range(threads):
        run.add(channels[i] if channels is not None else i % card.channels, rounds)
    seconds = run.simulation.run()
    return Simulated(threads * rounds * batch, seconds, run.hardware, run.busy, threads, tuple(run.latencies), run.split, run.cores())


class _Run:
    """State of a simulated program."""

    def __init__(self, costs: Sequence[Cost], card: CardModel, launch: Launch, batch: int, feed: Feed):
        self.simulation = Simulation()
        self._state = CardState(self.simulation, card)
        self._costs, self._card, self._launch, self._batch, self._feed = costs, card, launch, batch, feed
        self._host = Pool(self.simulation, card.host_cores)
        self._memory = Link(card.host_bytes_per_second)
        self.hardware = self.busy = 0.0
        self._under_way, self._since = 0, 0.0
        self.latencies: list[float] = []
        self.split = dict.fromkeys(STAGES, 0.0)

    def cores(self) -> tuple[tuple[int, float], ...]:
        """See `Simulated.cores`."""
        return tuple(zip(self._state.functions, self._state.busy, strict=True))

    def add(self, channel: int, rounds: int) -> None:
        """One more program."""
        if not self._feed.pipelined:
            self.simulation.start(self._serial(channel, rounds))
            return
        loaded, free_in = Pool(self.simulation, 0), Pool(self.simulation, self._feed.fifo)
        computed, free_out = Pool(self.simulation, 0), Pool(self.simulation, self._feed.fifo)
        begun: list[float] = []
        self.simulation.start(self._provide(rounds, free_in, loaded, begun))
        self.simulation.start(self._compute(channel, rounds, loaded, free_in, free_out, computed))
        self.simulation.start(self._fetch(rounds, computed, free_out, begun))

    def _serial(self, channel: int, rounds: int) -> Process:
        for _ in range(rounds):
            start = self.simulation.now
            yield from self._load()
            yield from self._invoke(channel)
            yield from self._take_out()
            self.latencies.append(self.simulation.now - start)

    def _provide(self, rounds: int, free: Pool, loaded: Pool, begun: list[float]) -> Process:
        for _ in range(rounds):
            yield Take(free)
            begun.append(self.simulation.now)
            yield from self._load()
            loaded.give()

    def _compute(self, channel: int, rounds: int, loaded: Pool, free_in: Pool, free_out: Pool, computed: Pool) -> Process:
        for _ in range(rounds):
            yield Take(loaded)
            yield Take(free_out)
            yield from self._invoke(channel)
            free_in.give()
            computed.give()

    def _fetch(self, rounds: int, computed: Pool, free: Pool, begun: list[float]) -> Process:
        for i in range(rounds):
            yield Take(computed)
            yield from self._take_out()
            free.give()
            self.latencies.append(self.simulation.now - begun[i])

    # ---- stages -----------------------------------------------------------------------------------------------------------------------------

    def _load(self) -> Process:
        card, feed, n = self._card, self._feed, self._batch
        if feed.pixels:
            yield from self._on_host("load", Work(seconds=n * feed.pixels / card.decode_pixels_per_second))
        if feed.convert:
            yield from self._on_host("convert_in", self._conversion(n * feed.in_host_bytes))
        if feed.in_card_bytes:
            yield from self._timed("copy_in", *self._copy(self._state.to_card, n * feed.in_card_bytes))

    def _invoke(self, channel: int) -> Process:
        start = self.simulation.now
        if self._feed.online:
            yield Work(seconds=self._card.online_seconds + self._batch * self._card.online_image_seconds)
        self._since = self._since if self._under_way else self.simulation.now
        self._under_way += 1
        yield from invocation(self._state, self._costs, self._launch, channel, self._count)
        self.split["compute"] += self.simulation.now - start

    def _count(self, seconds: float) -> None:
        self.hardware += seconds
        self._under_way -= 1
        if not self._under_way:
            self.busy += self.simulation.now - self._since

    def _take_out(self) -> Process:
        feed, n = self._feed, self._batch
        if feed.out_card_bytes:
            yield from self._timed("copy_out", *self._copy(self._state.to_host, n * feed.out_card_bytes))
        if feed.convert and feed.out_host_bytes:
            yield from self._on_host("convert_out", self._conversion(n * feed.out_host_bytes))

    def _conversion(self, nbytes: float) -> Work:
        return Work([Demand(self._memory, nbytes, self._card.convert_bytes_per_second)])

    def _on_host(self, stage: str, work: Work) -> Process:
        yield Take(self._host)
        yield from self._timed(stage, work)
        self._host.give()

    def _copy(self, bus: Link, nbytes: float) -> tuple[Work, Work]:
        return Work(seconds=self._card.copy_seconds), Work([Demand(bus, nbytes, self._card.pcie_bytes_per_second)])

    def _timed(self, stage: str, *works: Work) -> Process:
        start = self.simulation.now
        yield from works
        self.split[stage] += self.simulation.now - start

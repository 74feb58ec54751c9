"""What a pipeline measured, and the figures made of it."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pycaffe_acc.evaluation.intervals import Interval, union_ns
from pycaffe_acc.runners.top5 import Hits

#: most threads that the newer runners count
_MOST_THREADS = 32


@dataclass
class Tally:
    """One pipeline's results.

    Attributes
    ----------
    hits : Hits
    busy : list of (int, int)
        When functions ran on the device, in ns.
    """

    hits: Hits = field(default_factory=Hits)
    busy: list[Interval] = field(default_factory=list)

    @property
    def hardware_us(self) -> float:
        """Sum of the times between notifiers."""
        return sum(end - start for start, end in self.busy) / 1e3


@dataclass(frozen=True)
class Figures:
    """The figures of a whole run.

    Attributes
    ----------
    images : int
        Lines of the list.
    hits : Hits
    hardware_us : float
        Sum over all pipelines.
    busy_us : float
        Time in which any function ran.
    wall_us : float
    threads : int
        Pipelines.
    batch : int
    """

    images: int
    hits: Hits
    hardware_us: float
    busy_us: float
    wall_us: float
    threads: int
    batch: int

    @classmethod
    def of(cls, images: int, tallies: Sequence[Tally], wall_us: float, batch: int) -> Figures:
        """Sum the pipelines up."""
        return cls(images, sum((t.hits for t in tallies), Hits()), sum(t.hardware_us for t in tallies), union_ns(_all(tallies)) / 1e3, wall_us,
                   len(tallies), batch)

    @property
    def hardware_fps(self) -> float:
        """The vendor's: images / sum of notifier times * threads. An average thread's rate, as if no thread ever waited."""
        return self.images / self.hardware_us * self.threads * 1e6 if self.hardware_us else 0.0

    @property
    def throughput(self) -> float:
        """As `hardware_fps`, with at most 32 threads (the MLU270 generation's)."""
        return self.images / self.hardware_us * min(self.threads, _MOST_THREADS) * 1e6 if self.hardware_us else 0.0

    @property
    def busy_fps(self) -> float:
        """Images / time in which any function ran."""
        return self.images / self.busy_us * 1e6 if self.busy_us else 0.0

    @property
    def end_to_end_fps(self) -> float:
        """Images / wall time of the whole run."""
        return self.images / self.wall_us * 1e6 if self.wall_us else 0.0

    @property
    def latency_us(self) -> float:
        """Hardware time of a batch (the MLU270 generation's)."""
        return self.hardware_us / self.images * self.batch


def _all(tallies: Iterable[Tally]) -> list[Interval]:
    return [interval for t in tallies for interval in t.busy]

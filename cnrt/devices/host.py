"""The machine's own processors: one channel, as many cores as the process may use."""
from __future__ import annotations

import os

from cnrt.cores import CoreUse
from cnrt.cpu import effective_cpus
from cnrt.device import Device, DeviceSpec, device_kind
from cnrt.scheduler import Scheduler, default_scheduler


def memory_limit() -> int | None:
    """Bytes of the machine's memory; None where that cannot be told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


class HostRunner(Device):
    """Runs instruction tables on the host's threads; the base of every kind that computes."""

    def __init__(self, ordinal: int, scheduler: Scheduler | None = None):
        super().__init__(ordinal)
        self._scheduler = scheduler

    @property
    def scheduler(self) -> Scheduler:
        """The core slots it uses: those all devices share, unless it was given its own."""
        return self._scheduler if self._scheduler is not None else default_scheduler()

    @property
    def slots(self) -> int:
        """See `Device.slots`."""
        return self.scheduler.slots

    def run_table(self, table: int, n: int, cores: int, name: str = "function") -> int:
        """See `Device.run_table`."""
        return self.scheduler.run(table, n, cores, name)

    def tasks(self, cores: int) -> int:
        """See `Device.tasks`."""
        return min(cores, self.scheduler.slots)

    def core_uses(self) -> list[CoreUse]:
        """See `Device.core_uses`; the host's cores are the core slots."""
        return (self.cores if self.virtual else self.scheduler.cores).uses()


@device_kind("host")
class Host(HostRunner):
    """The default device."""

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """Cores from affinity and quota, memory from the machine."""
        return DeviceSpec("host", channels=1, cores_per_channel=effective_cpus(), memory_bytes_per_channel=memory_limit())

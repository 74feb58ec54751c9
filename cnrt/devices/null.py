"""A device that runs nothing: for scheduling tests, and to see what the harness itself costs."""
from __future__ import annotations

import numpy as np

from cnrt.device import Device, DeviceSpec, device_kind
from cnrt.memory import Memory


@device_kind("null")
class Null(Device):
    """Memory and queues are real; functions end as soon as they start and leave their outputs as they were: zeros, since memory begins as that."""

    virtual = True

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """The shape of an MLU100, without its limits of memory."""
        return DeviceSpec("null", channels=4, cores_per_channel=8, max_parallelism=32)

    def malloc(self, nbytes: int, channel: int | None = None) -> Memory:
        """See `Device.malloc`."""
        memory = super().malloc(nbytes, channel)
        memory.array(np.uint8, (nbytes,))[...] = 0
        return memory

    def run_table(self, table: int, n: int, cores: int, name: str = "function") -> int:
        """Nothing."""
        return 0

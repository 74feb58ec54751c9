"""A device that runs nothing: for scheduling tests, and to see what the harness itself costs."""
from __future__ import annotations

from cnrt.device import Device, DeviceSpec, device_kind


@device_kind("null")
class Null(Device):
    """Memory and queues are real; functions end as soon as they start and leave their outputs as they were."""

    virtual = True

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """The shape of an MLU100, without its limits of memory."""
        return DeviceSpec("null", channels=4, cores_per_channel=8, max_parallelism=32)

    def run_table(self, table: int, n: int, cores: int, name: str = "function") -> int:
        """Nothing."""
        return 0

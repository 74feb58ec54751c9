"""The virtual MLU270: 4 clusters of 4 cores."""
from __future__ import annotations

from types import MappingProxyType

from cnrt.device import DeviceSpec, device_kind
from cnrt.devices.host import HostRunner
from cnrt.devices.mlu100 import GIB, card_count


@device_kind("MLU270")
class Mlu270(HostRunner):
    """16 cores, 16 GB, INT8 128 TOPS and INT16 64 TOPS as the vendor quotes them, 102 GB/s; one cluster counts as a channel here."""

    virtual = True

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """See the class."""
        peaks = MappingProxyType({"int8": 8e12, "int16": 4e12, "float16": 2e12})
        return DeviceSpec("MLU270", channels=4, cores_per_channel=4, memory_bytes_per_channel=4 * GIB, clock_hz=1.0e9, peak_ops_per_core=peaks,
                          ddr_bytes_per_second=25.6e9, pcie_bytes_per_second=12e9, max_parallelism=16, max_stack_mb=512)

    @classmethod
    def count(cls) -> int:
        """See `card_count`."""
        return card_count()

"""The virtual MLU100 (the paper's ACC-1): 4 channels of 8 cores and one DDR controller.

Its kernels run on the host; the card's rules hold: memory per channel, parallelism, channels, stack.
"""
from __future__ import annotations

import os
from types import MappingProxyType

from cnrt.device import DeviceSpec, device_kind
from cnrt.devices.host import HostRunner
from cnrt.errors import CnrtError, RetCode

GIB = 1 << 30


def card_count() -> int:
    """How many virtual cards of a kind there are: `PYCAFFE_ACC_CARDS`, else 1."""
    asked = os.environ.get("PYCAFFE_ACC_CARDS", "1")
    if not asked.isdigit() or int(asked) < 1:
        raise CnrtError(RetCode.ERR_INVALID, f"PYCAFFE_ACC_CARDS is '{asked}'; it must be a positive integer")
    return int(asked)


@device_kind("MLU100")
class Mlu100(HostRunner):
    """32 cores; a channel has 2 GiB and 25.6 GB/s (DDR4-3200, 64 bit); 256 FP16 multiply-adds a cycle and core at 1 GHz, INT8 twice that.

    The vendor publishes 16 TFLOPS dense FP16 and 8 GB. The PCIe rate (x16, third generation, 12 GB/s usable) and the largest stack are assumptions.
    """

    virtual = True

    @classmethod
    def make_spec(cls) -> DeviceSpec:
        """See the class."""
        peaks = MappingProxyType({"float16": 0.512e12, "int8": 1.024e12})
        return DeviceSpec("MLU100", channels=4, cores_per_channel=8, memory_bytes_per_channel=2 * GIB, clock_hz=1.0e9, peak_ops_per_core=peaks,
                          ddr_bytes_per_second=25.6e9, pcie_bytes_per_second=12e9, max_parallelism=32, max_stack_mb=512)

    @classmethod
    def count(cls) -> int:
        """See `card_count`."""
        return card_count()

"""The virtual MLU100 (the paper's ACC-1): 4 channels of 8 cores and one DDR controller."""
from __future__ import annotations

from cnrt.device import device_kind
from cnrt.devices.virtual_card import VirtualCard


@device_kind("MLU100")
class Mlu100(VirtualCard):
    """32 cores; a channel has 2 GiB and 25.6 GB/s; 256 FP16 multiply-adds a cycle and core at 1 GHz, INT8 twice that."""

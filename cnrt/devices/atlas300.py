"""A virtual Atlas 300 (model 3000): four Ascend 310."""
from __future__ import annotations

from cnrt.device import device_kind
from cnrt.devices.virtual_card import VirtualCard


@device_kind("Atlas300")
class Atlas300(VirtualCard):
    """4 chips of 2 cores, INT8 64 TOPS, 204.8 GB/s; a chip counts as a channel."""

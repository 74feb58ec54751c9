"""A virtual Hanguang 800: four cores that keep everything in local memory."""
from __future__ import annotations

from cnrt.device import device_kind
from cnrt.devices.virtual_card import VirtualCard


@device_kind("Hanguang800")
class Hanguang800(VirtualCard):
    """4 cores, INT8 825 TOPS, 192 MiB and no external memory."""

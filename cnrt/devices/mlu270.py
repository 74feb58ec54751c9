"""The virtual MLU270: 4 clusters of 4 cores."""
from __future__ import annotations

from cnrt.device import device_kind
from cnrt.devices.virtual_card import VirtualCard


@device_kind("MLU270")
class Mlu270(VirtualCard):
    """16 cores, 16 GB, INT8 128 TOPS; one cluster counts as a channel here."""

"""A virtual TPU of the first generation: one matrix unit of 256 x 256."""
from __future__ import annotations

from cnrt.device import device_kind
from cnrt.devices.virtual_card import VirtualCard


@device_kind("TPUv1")
class TpuV1(VirtualCard):
    """One core, INT8 92 TOPS, 34 GB/s of weight memory; values of 24 MiB stay on the chip."""

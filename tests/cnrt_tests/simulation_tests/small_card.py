"""A card with round numbers: 2 channels of 2 cores."""
from __future__ import annotations

from types import MappingProxyType

from cnrt.card_model import CardModel
from cnrt.cost import Cost

CARD = CardModel(
    name="small", title="a card for tests", channels=2, cores_per_channel=2, memory_bytes_per_channel=1 << 20, clock_hz=1e9,
    macs_per_second=MappingProxyType({"float16": 100.0, "int8": 200.0}), array_inner=4, array_outer=4, mac_efficiency=1.0, vector_ops_per_second=10.0,
    onchip_bytes=0.0, ddr_bytes_per_second=1000.0, ddr_efficiency=1.0, core_bytes_per_second=800.0, weight_sharing=1.0, noc_bytes_per_second=500.0,
    launch_seconds=1.0, instruction_seconds=0.5, barrier_seconds=0.25, sparse_floor=0.25, sparse_efficiency=1.0, pcie_bytes_per_second=100.0,
    copy_seconds=0.5, host_cores=4, convert_bytes_per_second=50.0, host_bytes_per_second=100.0, decode_pixels_per_second=10.0,
    online_image_seconds=2.0, online_seconds=1.0, interleaved=0, max_parallelism=4)

#: 8 seconds of a core's arithmetic, next to nothing to move
HEAVY = Cost("heavy", "float16", macs=800, inner=8, outer=8)
#: 4000 bytes, 5 seconds at what a core can draw
WIDE = Cost("wide", "float16", read_bytes=2000, write_bytes=2000)

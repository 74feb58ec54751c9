"""The register tiles of inner products with few rows, per vector width."""
from __future__ import annotations

from cnml.kernels.conv_tiles import STORED

#: lanes of a vector → (rows, vectors of outputs); all of one width have the same outputs, so a batch that grows a little needs no other weights
INNER_TILES: dict[int, tuple[tuple[int, int], ...]] = {
    16: ((1, 3), (2, 3), (4, 3), (8, 3)),
    8: ((1, 2), (2, 2), (4, 2)),
    4: ((1, 2), (2, 2), (4, 2)),
}
#: rows up to which these tiles are taken
FEW = 8


def inner_name(mr: int, nr: int, item: int = 4) -> str:
    """Name of the kernel with a tile of `mr` rows by `nr` outputs and weights of `item` bytes."""
    return f"inner_{STORED[item]}_{mr}x{nr}"

"""The register tiles of inner products with few rows, per vector width."""
from __future__ import annotations

from math import ceil

from cnml.cpu import isa
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


def inner_tile_for(rows: int) -> tuple[int, int]:
    """Rows and outputs of the tile for a product with that many rows."""
    lanes = isa().lanes
    mr, nv = min((t for t in INNER_TILES[lanes] if t[0] >= rows), default=INNER_TILES[lanes][-1])
    return mr, nv * lanes


def recurrent_scratch(mr: int, nr: int, outputs: int, inputs: int) -> int:
    """Bytes that a task of a recurrent kernel works in: `mr` rows of sums, padded to whole tiles, and of inputs."""
    return 4 * mr * (ceil(outputs / nr) * nr + inputs)

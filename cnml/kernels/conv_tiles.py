"""The register tiles that exist, per vector width."""
from __future__ import annotations

from typing import NamedTuple

from cnml.cpu import converts_half


class Tile(NamedTuple):
    """A register tile: sums, one row of weights and one input must fit the registers.

    Attributes
    ----------
    mr : int
        Output pixels.
    nv : int
        Vectors of output channels.
    share : float
        Measured share of the multiply-add limit when all its sums are used.
    """

    mr: int
    nv: int
    share: float


#: lanes of a vector → tiles
TILES: dict[int, tuple[Tile, ...]] = {
    16: (Tile(6, 4, 0.97), Tile(8, 3, 0.96), Tile(12, 2, 0.95), Tile(10, 2, 0.95), Tile(12, 1, 0.92), Tile(1, 4, 0.25)),
    8: (Tile(6, 2, 0.93), Tile(4, 3, 0.92), Tile(12, 1, 0.8), Tile(1, 2, 0.2)),
    4: (Tile(6, 2, 0.9), Tile(12, 1, 0.7), Tile(1, 2, 0.2)),
}

DEPTHWISE_TILES: dict[int, tuple[Tile, ...]] = {
    16: (Tile(6, 2, 0.5),),
    8: (Tile(4, 2, 0.5),),
    4: (Tile(4, 2, 0.5),),
}

#: depthwise, along a line: `mr` neighbouring pixels
SLIDING_TILES: dict[int, tuple[Tile, ...]] = {
    16: (Tile(7, 2, 0.8),),
    8: (Tile(7, 1, 0.8),),
    4: (Tile(7, 1, 0.8),),
}
SLIDING_KERNELS = (3, 4, 5)  # widths that have kernels of their own
SLIDING_STRIDES = (1, 2)

#: `nv` is outputs here, not vectors
NARROW_TILES: dict[int, tuple[Tile, ...]] = {
    16: (Tile(12, 1, 0.35), Tile(6, 4, 0.6)),
    8: (Tile(8, 1, 0.35), Tile(2, 4, 0.5)),
    4: (Tile(8, 1, 0.35), Tile(2, 4, 0.5)),
}


#: bytes of a weight → how it is called in names of kernels
STORED: dict[int, str] = {4: "f32", 2: "f16"}


def stored_items() -> tuple[int, ...]:
    """Bytes of the weights that kernels exist for: halves only where they are converted as they are loaded."""
    return (4, 2) if converts_half() else (4,)


def kernel_name(mr: int, nr: int, item: int = 4) -> str:
    """Name of the convolution kernel with a tile of `mr` pixels by `nr` channels."""
    return f"conv2d_nhwc_{STORED[item]}_{mr}x{nr}"


def depthwise_name(mr: int, nr: int, item: int = 4) -> str:
    """Name of the depthwise kernel with a tile of `mr` pixels by `nr` channels."""
    return f"depthwise_nhwc_{STORED[item]}_{mr}x{nr}"


def sliding_name(mr: int, nr: int, columns: int, stride: int, item: int = 4) -> str:
    """Name of the depthwise kernel along lines with a tile of `mr` pixels by `nr` channels."""
    return f"sliding_nhwc_{STORED[item]}_{mr}x{nr}_{columns}s{stride}"


def narrow_name(mr: int, nq: int, item: int = 4) -> str:
    """Name of the kernel for few outputs with a tile of `mr` pixels by `nq` outputs."""
    return f"narrow_nhwc_{STORED[item]}_{mr}x{nq}"

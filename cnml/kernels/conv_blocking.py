"""The ways to cut a direct convolution: register tile, loop order, pixels of a chunk, products between two visits of the sums."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import Tile

PANEL_BYTES = 320 * 1024     # of weights between two passes over the sums: a third of a common second-level cache
POINTER_BYTES = 32 * 1024
INPUT_BYTES = 96 * 1024      # of a chunk's input
STAGE_LINES = 8              # of output that a chunk of staged lines has at most


class Product(NamedTuple):
    """What the tiles multiply: (pixels, taps x depth) by (taps x depth, outputs) for every group.

    Attributes
    ----------
    shape : Conv2dShape
    grids : tuple of (int, int)
        Output lines and columns of every phase.
    taps : tuple of int
        Of every phase.
    depth : int
        Products of a tap.
    outputs : int
        Of a group.
    staged : bool
        Input lines are copied first.
    item : int
        Bytes of a weight.
    """

    shape: Conv2dShape
    grids: tuple[tuple[int, int], ...]
    taps: tuple[int, ...]
    depth: int
    outputs: int
    staged: bool = False
    item: int = 4

    @property
    def pixels(self) -> int:
        """Output pixels of the largest phase, all images."""
        return max(h * w for h, w in self.grids) * self.shape.batch

    @property
    def weight_bytes(self) -> int:
        """Of all phases and groups, unpadded."""
        return self.item * sum(self.taps) * self.depth * self.outputs * self.shape.group


class Blocking(NamedTuple):
    """One way to cut a product.

    Attributes
    ----------
    tile : Tile
    panel_outer : bool
        A block of weights stays while all pixels pass; otherwise a chunk of pixels while all weights pass.
    chunk : int
        Pixels whose pointers are made together.
    taps_block, depth_block : int
        Taps and depth between two visits of the sums.
    """

    tile: Tile
    panel_outer: bool
    chunk: int
    taps_block: int
    depth_block: int


def direct_product(shape: Conv2dShape, *, staged: bool = False) -> Product:
    """The product of a convolution."""
    kh, kw = shape.kernel
    return Product(shape, (shape.out,), (kh if staged else kh * kw,), shape.channels // shape.group * (kw if staged else 1),
                   shape.outputs // shape.group, staged)


def blocking(product: Product, tile: Tile, nr: int, panel_outer: bool, *, items: int = 1, revisit: bool = True) -> Blocking:
    """The chunk and the blocks for a tile and an order.

    Parameters
    ----------
    product : Product
    tile : Tile
    nr : int
        Outputs of the tile.
    panel_outer : bool
    items : int
        At least so many chunks, where there are enough tiles: for kernels whose tasks share out chunks.
    revisit : bool
        Whether the sums may be visited more than once.
    """
    if product.staged:
        chunk = _staged_chunk(product, tile.mr)
    else:
        chunk = _chunk(product, tile.mr, panel_outer, items)
    return Blocking(tile, panel_outer, chunk, *_blocks(max(product.taps), product.depth, nr * product.item, revisit and product.pixels > tile.mr))


def _chunk(product: Product, mr: int, panel_outer: bool, items: int) -> int:
    """Few enough pixels that pointers, and inputs where all channels pass over them, stay in cache."""
    shape, taps = product.shape, max(*product.taps, 1)
    limit = POINTER_BYTES // (8 * taps)
    if not panel_outer:
        per_pixel = 4 * shape.channels * min(shape.stride[0] * shape.stride[1], taps)
        limit = min(limit, INPUT_BYTES // per_pixel)
    tiles = ceil(product.pixels / mr)
    return ceil(tiles / max(ceil(tiles / max(limit // mr, 1)), min(items, tiles))) * mr


def _staged_chunk(product: Product, mr: int) -> int:
    """Whole grid lines: as many as waste least of the last tile."""
    shape, (height, wide) = product.shape, product.grids[0]
    overlap = max(shape.kernel[0] * shape.dilation[0] - shape.stride[0], 0)
    return wide * min(range(1, min(STAGE_LINES, height) + 1),
                      key=lambda n: (ceil(n * wide / mr) * mr / (n * wide)) * (1 + 0.05 * overlap / (n * shape.stride[0])))


def _blocks(taps: int, depth: int, row_bytes: int, revisit: bool) -> tuple[int, int]:
    """Taps and depth between two visits of the sums: a panel of weights that stays in cache while the pixels pass."""
    steps = PANEL_BYTES // row_bytes
    if not revisit or taps * depth <= steps:
        return max(taps, 1), depth
    if depth >= steps:
        parts = ceil(depth / steps)
        return 1, ceil(depth / parts / 4) * 4
    parts = ceil(taps / max(steps // depth, 1))
    return ceil(taps / parts), depth

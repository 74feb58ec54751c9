"""What a direct float32 convolution costs, in cycles of one core that starts one vector multiply-add a cycle.

The unit is the time in which the multiply-add limit (`cnml.ukernels.peak_f32`) does one vector, so a perfect kernel costs its operations divided by
twice the lanes, and other algorithms can be held against the figure. `benchmarks/conv_f32.py --check-model` holds the model against measurements.
"""
from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from cnml.cpu import isa
from cnml.kernels.conv_blocking import Blocking, Product, blocking, direct_product
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import TILES, Tile

TILE_CYCLES = 40.0         # to enter and leave a tile
SUM_CYCLES = 2.5           # to start, activate and store one vector of sums
PART_CYCLES = 8.0          # more for each vector of sums of a block that has fewer outputs than the tile
POINTER_CYCLES = 2.0       # to make one pointer of a chunk
BORDER_CYCLES = 3.0        # to make one pointer of a tile at the border
CACHED_BYTES = 512 * 1024  # of weights that stay in the second-level cache while pixels pass
INPUT_CACHED = 512 * 1024  # of input that stays there while blocks of weights pass
MEMORY_BYTES_CYCLE = 7.0   # that a core reads from memory a cycle
HALF_PAIRS = 0.92          # of a tile's share where weights are halves in two vectors of sixteen (measured; other widths lose nothing)
EXPOSED = 0.2              # share of such reads that prefetching does not hide


def direct_cost(shape: Conv2dShape, tasks: int = 1) -> float:
    """Estimated cycles of the best direct kernel for a convolution.

    Parameters
    ----------
    shape : Conv2dShape
    tasks : int
        Threads that share it.

    Returns
    -------
    float
        Cycles until the slowest task has finished.
    """
    product = direct_product(shape)
    return min(blocking_cost(product, b, tasks) for b in candidates(product))


def candidates(product: Product, tiles: Iterable[Tile] = (), panel_outer: bool | None = None) -> list[Blocking]:
    """All ways to cut a product with given tiles (of the table if none) and order (both)."""
    lanes = isa().lanes
    orders = [False] if product.staged else [False, True] if panel_outer is None else [panel_outer]
    return [blocking(product, t, t.nv * lanes, o) for t in tiles or TILES[lanes] for o in orders]


def blocking_cost(product: Product, cut: Blocking, tasks: int = 1) -> float:
    """As `direct_cost`, for one way to cut."""
    lanes, (mr, nv, share) = isa().lanes, cut.tile
    share *= HALF_PAIRS if product.item == 2 and nv == 2 and lanes == 16 else 1.0
    group_blocks = ceil(product.outputs / (nv * lanes))
    blocks, ragged = product.shape.group * group_blocks, product.outputs % (nv * lanes) > 0
    total = 0.0
    for (height, width), taps in zip(product.grids, product.taps, strict=True):
        runs, pixels = (product.shape.batch, height * width) if product.staged else (1, height * width * product.shape.batch)
        chunks = ceil(pixels / cut.chunk)
        tiles = runs * ((chunks - 1) * ceil(cut.chunk / mr) + ceil((pixels - (chunks - 1) * cut.chunk) / mr))
        visits = ceil(taps / cut.taps_block) * ceil(product.depth / cut.depth_block)
        sums = mr * nv
        entry = TILE_CYCLES + SUM_CYCLES * sums + PART_CYCLES * sums * ragged / group_blocks
        total += ceil(tiles * blocks / tasks) * (sums * taps * product.depth / share + visits * entry)
        prepared = runs * pixels * (blocks if cut.panel_outer and chunks > 1 else 1)
        total += prepared / tasks * (POINTER_CYCLES + BORDER_CYCLES * taps * _border(product, width) * (not product.staged))
        total += EXPOSED / tasks * _memory(product, cut, runs * chunks, blocks) / MEMORY_BYTES_CYCLE
    return total


def _border(product: Product, width: int) -> float:
    """Share of the tiles that lie at the left or right border, roughly."""
    return 0.0 if product.shape.kernel[1] == 1 and not any(product.shape.pad) else min(1.0, 8.0 / max(width, 1))


def _memory(product: Product, cut: Blocking, chunks: int, blocks: int) -> float:
    """Bytes that come from beyond the second-level cache."""
    shape = product.shape
    (kh, kw), (sh, sw) = shape.kernel, shape.stride
    inputs = 4 * shape.batch * shape.channels * shape.height * shape.width * min(kh, sh) * min(kw, sw) // (sh * sw)  # that any tap reads
    if cut.panel_outer:
        return product.weight_bytes + inputs * (blocks if inputs > INPUT_CACHED else 1)
    return inputs + product.weight_bytes * (chunks if product.weight_bytes > CACHED_BYTES else 1)

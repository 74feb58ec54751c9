"""What a direct float32 convolution costs, in cycles of one core that starts one vector multiply-add a cycle.

The unit is the time in which the multiply-add limit (`cnml.ukernels.peak_f32`) does one vector, so a perfect kernel costs its operations divided by
twice the lanes, and other algorithms can be held against the figure.
"""
from __future__ import annotations

from math import ceil

from cnml.cpu import isa
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import TILES, Tile

TILE_CYCLES = 40.0         # to enter and leave a tile
SUM_CYCLES = 2.5           # to start, activate and store one vector of sums
POINTER_CYCLES = 2.0       # to make one pointer of a chunk
L2_BYTES = 512 * 1024      # of weights that stay near the core
MEMORY_BYTES_CYCLE = 7.0   # that a core reads from memory a cycle


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
    return min(tile_cost(shape, tile, tasks) for tile in TILES[isa().lanes])


def tile_cost(shape: Conv2dShape, tile: Tile, tasks: int = 1) -> float:
    """As `direct_cost`, with a given register tile."""
    pixels, products = shape.batch * shape.out[0] * shape.out[1], shape.kernel[0] * shape.kernel[1] * shape.channels // shape.group
    tiles = ceil(pixels / tile.mr) * shape.group * ceil(shape.outputs // shape.group / (tile.nv * isa().lanes))
    sums = tile.mr * tile.nv
    work = ceil(tiles / tasks) * (sums * products / tile.share + TILE_CYCLES + SUM_CYCLES * sums)
    pointers = pixels * (2 if shape.kernel == (1, 1) else 4) * POINTER_CYCLES / tasks
    weights = 4 * products * shape.outputs
    return work + pointers + (weights / MEMORY_BYTES_CYCLE * 0.2 if weights > L2_BYTES else 0.0)

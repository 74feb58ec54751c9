"""What the INT8 kernel that skips words of weights costs, in the cycles of `cnml.kernels.conv_cost_f32`.

The constants are fitted to 6,900 measurements: layers of ResNet-18 and 50 (batch 1 and 4), VGG16, GoogLeNet, Inception v3, SqueezeNet, AlexNet and
MobileNet with 6 to 60 % of the words left, in most tiles, on a Zen 4 core with VNNI. 90 % of the estimates are within 19 % of what was measured.
"""
from __future__ import annotations

from math import ceil

from cnml.cpu import isa
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_plan_qs8 import QUAD, SparseTile, part_of, words_of

VECTOR_CYCLES = 1.47      # a vector of pixels times a word of weights
SHORT_CYCLES = 0.2        # and more for each vector that a tile has less than four, whose sums wait for each other
ROW_CYCLES = 2.24         # to take up and put down a vector of sums, for every part of the panel
LIST_CYCLES = 2.15        # to begin and end the list of an output in a part
PANEL_CYCLES = 5.44       # to bring a vector of words from its pixels
WORD_CYCLES = 22.9        # the same where a pixel has less than four words
END_CYCLES = 4.58         # to end a vector of sums and store it,
BLOCK_CYCLES = 67.5       # and to begin with a vector of a block
BORDER_CYCLES = 5.49      # to make one pointer of a vector at the border
TILE_CYCLES = 222.0       # for a tile
LAYER_CYCLES = 6400.0


def sparse_cost_qs8(shape: Conv2dShape, tile: SparseTile, live: int) -> float:
    """Estimated cycles on one core.

    Parameters
    ----------
    shape : Conv2dShape
        In channels.
    tile : SparseTile
    live : int
        Words of weights that are not zero.
    """
    lanes, outputs, taps_depth = isa().lanes, shape.outputs // shape.group, words_of(shape, tile.lines > 0)
    taps, depth = taps_depth
    taps_block, depth_block = part_of(taps, depth)
    parts, tiles = ceil(taps / taps_block) * ceil(depth / depth_block), _tiles(shape, tile)
    vectors, count = sum(n * size for size, n in tiles), sum(n for _, n in tiles)
    cycles = live * sum(n * (size * VECTOR_CYCLES + max(QUAD - size, 0) * SHORT_CYCLES) for size, n in tiles)
    cycles += parts * shape.outputs * (vectors * ROW_CYCLES + count * LIST_CYCLES)
    panel = ceil(depth / QUAD) * QUAD * PANEL_CYCLES if depth >= QUAD else depth * WORD_CYCLES
    ends = ceil(outputs / QUAD) * QUAD * END_CYCLES + ceil(outputs / (QUAD * lanes)) * BLOCK_CYCLES
    borders = 0.0 if tile.lines else lanes * taps * _border(shape) * BORDER_CYCLES
    return cycles + vectors * (shape.group * (taps * panel + ends) + borders) + count * TILE_CYCLES + LAYER_CYCLES


def _tiles(shape: Conv2dShape, tile: SparseTile) -> list[tuple[int, int]]:
    """Vectors of a tile, and how many such tiles there are: whole ones, and what is left."""
    lanes, (height, width) = isa().lanes, shape.out
    if tile.lines:
        (whole, rest), times = divmod(height, tile.lines), shape.batch
        rest = ceil(rest * width / lanes)
    else:
        (whole, rest), times = divmod(ceil(shape.batch * height * width / lanes), tile.vectors), 1
    return [(tile.vectors, whole * times), (rest, times if rest else 0)]


def _border(shape: Conv2dShape) -> float:
    """Share of the vectors that lie at the border, roughly."""
    if shape.kernel == (1, 1) and not any(shape.pad):
        return 0.0
    return min(1.0, (isa().lanes + 2 * shape.pad[1] - 1) / shape.out[1] + 2 * shape.pad[0] / shape.out[0])

"""What sparse float32 kernels cost, in the cycles of `cnml.kernels.conv_cost_f32`.

The constants are fitted to 1602 measurements: 141 layers of ResNet-50, VGG16, GoogLeNet, Inception v3, SqueezeNet and AlexNet at densities from
0.03 to 0.65, in every cut, on a Zen 4 core with AVX-512. 90 % of the estimates are within 10 % of what was measured.
"""
from __future__ import annotations

from math import ceil, prod

from cnml.cpu import isa
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_plan_f32 import SparseCut, cut_vectors, depth_block_of
from cnml.kernels.sparse_tiles import sparse_rows_for

PANEL_CYCLES = 6.9      # to bring one vector of a panel from its pixels; a square is as many as it has lanes
FAR_CYCLES = 10.8       # more where images come from beyond the second-level cache: their values together,
FAR_BYTES = 4e6, 8e6    # none of it up to the first, all of it from the second on
OUT_CYCLES = 7.5        # to bring one vector of sums to its pixels
ROW_CYCLES = 1.96       # to take up and put down one vector of sums, for every row of weights
VECTOR_CYCLES = 1.155   # a vector times a weight,
WEIGHT_CYCLES = 0.6     # and what every weight costs besides
LAYER_CYCLES = 1500.0
INNER_ROW_CYCLES = 20.0           # of an inner product, for every output
INNER_CYCLES = {1: 1.75, 4: 2.7}  # and for every weight, by rows that are taken together,
INNER_MANY_CYCLES = 3.8           # or more rows
INNER_BYTES_CYCLE = 8.7           # weights of dense ones that come from memory
INNER_DENSE_SHARE = 0.8  # of the multiply-add limit that dense inner products of few rows reach, where memory lets them


def sparse_cost(shape: Conv2dShape, cut: SparseCut, density: float) -> float:
    """Estimated cycles of a sparse convolution, on one core.

    Parameters
    ----------
    shape : Conv2dShape
    cut : SparseCut
    density : float
        Share of the weights that is not zero.
    """
    lanes, tiles, vectors, taps = isa().lanes, cut.tiles(shape.batch), cut_vectors(shape, cut), prod(shape.kernel)
    depth, outputs = shape.channels // shape.group, shape.outputs // shape.group
    block = depth_block_of(shape, cut)
    rows = shape.outputs * (1 + (ceil(depth / block) - 1) * (1 - (1 - density) ** (block * taps)))
    values = 4 * shape.batch * (shape.height * shape.width * shape.channels + prod(shape.out) * shape.outputs)
    far = min(max((values - FAR_BYTES[0]) / (FAR_BYTES[1] - FAR_BYTES[0]), 0.0), 1.0)
    panel = shape.group * ceil(depth / lanes) * lanes * vectors * (PANEL_CYCLES + FAR_CYCLES * far)
    out = shape.group * ceil(outputs / lanes) * lanes * cut.nv * OUT_CYCLES
    products = density * shape.outputs * depth * taps * (cut.nv * VECTOR_CYCLES + WEIGHT_CYCLES)
    return tiles * (panel + out + products + rows * cut.nv * ROW_CYCLES) + LAYER_CYCLES


def inner_cost(m: int, k: int, n: int, item: int = 4) -> float:
    """Estimated cycles of a dense inner product of m rows of k values and n outputs, with weights of `item` bytes that come from memory."""
    lanes = isa().lanes
    return max(k * n * item / INNER_BYTES_CYCLE, m * k * ceil(n / lanes) / INNER_DENSE_SHARE)


def sparse_inner_cost(m: int, k: int, n: int, density: float, item: int = 4) -> float:
    """As `inner_cost`, of the sparse one."""
    mr = sparse_rows_for(m, isa().lanes)
    each = INNER_CYCLES.get(mr, INNER_MANY_CYCLES)
    weights = density * k * n
    return ceil(m / mr) * (max(weights * each, weights * (item + 2) / INNER_BYTES_CYCLE) + n * INNER_ROW_CYCLES + (mr * k if mr > 1 else 0))

"""Winograd convolutions, 3x3 with stride 1, on channels-last float32 images: transform, products and inverse transform of a run of tiles at a time.

Arguments: x, weights, bias, add or 0, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), and what
to do: FUSED, TRANSFORM or PRODUCT of `cnml.kernels.winograd_table`. The table comes from `cnml.kernels.winograd_plan_f32`, the weights from
`cnml.kernels.winograd_pack_f32`.

A task's scratch holds V, the transformed windows [product][tile][channel], then the sums of a run of tiles and one block of outputs
[tile][product][output], then a window and two tiles for borders. TRANSFORM and PRODUCT are two instructions: V of all tiles lies in the scratch
of task 0 (whose end the other tasks' blocks continue), which stays as it is between two instructions of a function.

A NaN or infinity in a window reaches all outputs of its tile.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_product_f32, winograd_transform_f32
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import word
from cnml.kernels.conv_addressing import align_64
from cnml.kernels.conv_tiles import STORED
from cnml.kernels.winograd_product_f32 import (
    FETCHED,
    MIDDLE,
    WIDE,
    half_middle,
    half_narrow,
    half_wide,
    product_middle,
    product_narrow,
    product_wide,
)
from cnml.kernels.winograd_tiles import winograd_name
from cnml.kernels.winograd_transform_f32 import input_2, input_4, input_6, output_2, output_4, output_6, place
from cnml.ukernels.winograd_f32 import LANES
from cnrt import kernel_table


@jit
def whole(rows):
    """See `cnml.kernels.winograd_tiles.whole_rows`."""
    if rows < 4:
        return 4
    return 8 if rows == 7 else rows


@jit
def next_piece(args, m, tile, n, piece, slot):
    """Address of the memory that the run of n tiles from `tile` on reads and writes first, cut into pieces; 0 behind the last of them.

    Only the part in the first row of tiles: x, then y, one row of pixels after the other.
    """
    table = word(args, 5)
    image, row, column = place(table, tile)
    top, left = row * m - word(table, wt.PAD_Y), column * m - word(table, wt.PAD_X)
    height, width, pixel = word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
    pieces = max((min(n * m, width - left) * pixel + piece - 1) // piece, 1)
    if slot < (m + 2) * pieces:
        return word(args, 0) + ((image * height + top + slot // pieces) * width + left) * pixel + slot % pieces * piece
    slot -= (m + 2) * pieces
    height, width, pixel = word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL)
    pieces = max((min(n * m, width - column * m) * pixel + piece - 1) // piece, 1)
    if slot < m * pieces:
        return word(args, 4) + ((image * height + row * m + slot // pieces) * width + column * m) * pixel + slot % pieces * piece
    return 0


@jit
def operands(args, m, k, first, n, end, v, sums, e, item):
    """Vectors and operands of product e of block k with weights of `item` bytes: sums[tile][e] = v[e][tile] @ weights[e].

    The memory to ask for meanwhile is the next product's weights where they are far, else what the run of tiles behind this one needs, if there is
    one before `end`.
    """
    table, count = word(args, 5), (m + 2) * (m + 2)
    block = table + 8 * (wt.HEADER + k * wt.BLOCK)
    nv, depth, rows, v_row, v_product = word(block, wt.NV), word(table, wt.DEPTH), whole(n), word(table, wt.V_ROW), word(table, wt.V_PRODUCT)
    width = nv * LANES * 4
    size = depth * width // 4 * item
    piece = (rows + 5) // 6 * (depth // 4) * FETCHED
    panel = word(args, 1) + word(block, wt.WEIGHTS) // 4 * item + e * size
    ahead, limit = panel + size, size
    if word(table, wt.NEAR):
        ahead, limit = panel, np.int64(0)
        if first + n < end:
            start = next_piece(args, m, first + n, min(n, end - first - n), piece, k * count + e)
            if start != 0:
                ahead, limit = start, piece
    return nv, (v + word(block, wt.INPUT) + e * v_product, v_row, rows, depth, panel, sums + e * width, count * width, ahead, limit)


@jit
def multiply(args, m, k, first, n, end, v, sums):
    """Every product of block k. See `operands`."""
    for e in range((m + 2) * (m + 2)):
        nv, w = operands(args, m, k, first, n, end, v, sums, e, 4)
        if nv == WIDE:
            product_wide(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])
        elif nv == MIDDLE:
            product_middle(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])
        else:
            product_narrow(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])


@jit
def multiply_half(args, m, k, first, n, end, v, sums):
    """Every product of block k, with weights in half precision. See `operands`."""
    for e in range((m + 2) * (m + 2)):
        nv, w = operands(args, m, k, first, n, end, v, sums, e, 2)
        if nv == WIDE:
            half_wide(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])
        elif nv == MIDDLE:
            half_middle(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])
        else:
            half_narrow(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])


def _winograd(m, lanes, item):
    """The kernel of one size of tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    count = (m + 2) * (m + 2)

    def winograd_nhwc_f32(args, task_id, task_dim):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of tiles, or for PRODUCT of (block of outputs, tile)."""
        x, table, own, step, what = word(args, 0), word(args, 5), word(args, 6) + task_id * word(args, 7), word(args, 7), word(args, 11)
        tiles, run, blocks, v_bytes = word(table, wt.TILES), word(table, wt.RUN), word(table, wt.BLOCKS), word(table, wt.V_BYTES)
        v = own if what == wt.FUSED else word(args, 6)
        sums = own + v_bytes if what == wt.FUSED else word(args, 6) + v_bytes + task_id * (step - v_bytes)
        window = align_64(sums + count * whole(run) * WIDE * lanes * 4)
        corner = align_64(window + 4 * count * word(table, wt.CHANNELS))
        # a unit is a tile, for PRODUCT a vector of outputs of a tile
        units = tiles * word(table, wt.VECTORS) if what == wt.PRODUCT else tiles
        begin, end = units * task_id // task_dim, units * (task_id + 1) // task_dim
        for b in range(blocks if what == wt.PRODUCT else 1):
            from_tile, to_tile, first_block, end_block = begin, end, 0, blocks
            if what == wt.PRODUCT:
                block = table + 8 * (wt.HEADER + b * wt.BLOCK)
                before, nv = word(block, wt.BEFORE) * tiles, word(block, wt.NV)
                from_tile, to_tile = min(max(begin - before, 0) // nv, tiles), min(max(end - before, 0) // nv, tiles)
                first_block, end_block = b, b + 1
            runs = (to_tile - from_tile + run - 1) // run
            for r in range(runs):
                first = from_tile + (to_tile - from_tile) * r // runs
                n = from_tile + (to_tile - from_tile) * (r + 1) // runs - first
                rows = v if what == wt.FUSED else v + first * word(table, wt.V_ROW)
                if what != wt.PRODUCT:
                    if m == 2:
                        input_2(table, x, first, n, rows, window)
                    elif m == 4:
                        input_4(table, x, first, n, rows, window)
                    else:
                        input_6(table, x, first, n, rows, window)
                if what != wt.TRANSFORM:
                    for k in range(first_block, end_block):
                        # what is not taken is not compiled, so its products need not be linked
                        if item == 2:
                            multiply_half(args, m, k, first, n, to_tile, rows, sums)
                        else:
                            multiply(args, m, k, first, n, to_tile, rows, sums)
                        block = table + 8 * (wt.HEADER + k * wt.BLOCK)
                        if m == 2:
                            output_2(args, block, first, n, sums, corner)
                        elif m == 4:
                            output_4(args, block, first, n, sums, corner)
                        else:
                            output_6(args, block, first, n, sums, corner)

    return winograd_nhwc_f32


def _provide(m, item):  # type: ignore[no-untyped-def]
    winograd_product_f32.link(item)
    winograd_transform_f32.link(m)
    return kernel_cfunc(_winograd(m, LANES, item))


for _m in (2, 4, 6):
    for _item in STORED:
        kernel_table.register(winograd_name(_m, _item), partial(_provide, _m, _item))

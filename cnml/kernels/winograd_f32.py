"""Winograd convolutions, 3x3 with stride 1, on channels-last float32 images: transform, products and inverse transform of a run of tiles at a time.

Arguments: x, weights, bias, add or 0, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), and what
to do: FUSED, TRANSFORM or PRODUCT of `cnml.kernels.winograd_table`. The table comes from `cnml.kernels.winograd_plan_f32`, the weights from
`cnml.kernels.winograd_pack_f32`.

A task's scratch holds V, the transformed windows [product][tile][channel], then the sums of a run of tiles and one block of outputs
[tile][product][output], then a window and a tile for borders. TRANSFORM and PRODUCT are two instructions: V of all tiles lies in the scratch
of task 0 (whose end the other tasks' blocks continue), which stays as it is between two instructions of a function.

A NaN or infinity in a window reaches all outputs of its tile.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import align_64, clear, copy
from cnml.kernels.winograd_product_f32 import MIDDLE, WIDE, link, product_middle, product_narrow, product_wide
from cnml.kernels.winograd_tiles import winograd_name
from cnml.ukernels.winograd_f32 import LANES, winograd_input, winograd_output
from cnrt import kernel_table


@jit
def fill_window(table, x, image, top, left, size, out):
    """out[size][size][channels] = the window at (top, left) of an image, zero outside of it."""
    channels, pixel, width, height = word(table, wt.CHANNELS), word(table, wt.X_PIXEL), word(table, wt.WIDTH), word(table, wt.HEIGHT)
    for i in range(size):
        for j in range(size):
            to = out + 4 * (i * size + j) * channels
            row, column = top + i, left + j
            if row < 0 or column < 0 or row >= height or column >= width:
                clear(to, channels)
            else:
                copy(to, x + ((image * height + row) * width + column) * pixel, channels)


@jit
def copy_tile(out, out_row, out_pixel, source, row, pixel, rows, columns, channels):
    """A rectangle of pixels; strides in bytes."""
    for i in range(rows):
        for j in range(columns):
            copy(out + i * out_row + j * out_pixel, source + i * row + j * pixel, channels)


@jit
def products(nv, count, rows, row, product, n, depth, weights, sums):
    """sums[tile][e] = rows[e][tile] @ weights[e] for every product e."""
    width = nv * LANES * 4
    for e in range(count):
        if nv == WIDE:
            product_wide(rows + e * product, row, n, depth, weights + e * depth * width, sums + e * width, count * width)
        elif nv == MIDDLE:
            product_middle(rows + e * product, row, n, depth, weights + e * depth * width, sums + e * width, count * width)
        else:
            product_narrow(rows + e * product, row, n, depth, weights + e * depth * width, sums + e * width, count * width)


@jit
def whole(rows):
    """See `cnml.kernels.winograd_tiles.whole_rows`."""
    if rows < 4:
        return 4
    return 8 if rows == 7 else rows


def _winograd(m, lanes):
    """The kernel of one size of tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    size = m + 2
    count = size * size

    def winograd_nhwc_f32(args, task_id, task_dim):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of tiles, or for PRODUCT of (block of outputs, tile)."""
        x, table, scratch, what = word(args, 0), word(args, 5), word(args, 6), word(args, 11)
        low, high, mode = np.float32(real(args, 9)), np.float32(real(args, 10)), word(args, 8)
        channels, height, width, x_pixel = word(table, wt.CHANNELS), word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
        tiles_x = word(table, wt.TILES_X)
        per_image = word(table, wt.TILES_Y) * tiles_x
        tiles = word(table, wt.BATCH) * per_image
        run, v_row, v_product = word(table, wt.RUN), word(table, wt.V_ROW), word(table, wt.V_PRODUCT)
        out_height, out_width, y_pixel, add_pixel = (word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL),
                                                     word(table, wt.ADD_PIXEL))
        blocks, vectors, depth = word(table, wt.BLOCKS), word(table, wt.VECTORS), word(table, wt.DEPTH)
        v_bytes = word(table, wt.V_BYTES)
        shared, own = scratch, scratch + task_id * word(args, 7)
        if what == wt.FUSED:
            shared = own
            sums = own + v_bytes
        else:
            sums = scratch + v_bytes + task_id * (word(args, 7) - v_bytes) // 64 * 64
        window = align_64(sums + count * whole(run) * WIDE * lanes * 4)
        corner = align_64(window + 4 * count * channels)
        extra = corner + 4 * m * m * WIDE * lanes
        # a unit is a tile, for PRODUCT a vector of outputs of a tile
        units = tiles * vectors if what == wt.PRODUCT else tiles
        begin, end = units * task_id // task_dim, units * (task_id + 1) // task_dim
        for b in range(blocks if what == wt.PRODUCT else 1):
            from_tile, to_tile, first_block, end_block = begin, end, 0, blocks
            if what == wt.PRODUCT:
                block = table + 8 * (wt.HEADER + b * wt.BLOCK)
                before, nv = word(block, wt.BEFORE) * tiles, word(block, wt.NV)
                from_tile, to_tile = (min(max(begin - before, 0) // nv, tiles), min(max(end - before, 0) // nv, tiles))
                first_block, end_block = b, b + 1
            runs = max((to_tile - from_tile + run - 1) // run, 1)
            for r in range(runs):
                first = from_tile + (to_tile - from_tile) * r // runs
                n = from_tile + (to_tile - from_tile) * (r + 1) // runs - first
                if n <= 0:
                    continue
                v = shared if what == wt.FUSED else shared + first * v_row
                if what != wt.PRODUCT:
                    for i in range(n):
                        t = first + i
                        image, place = t // per_image, t % per_image
                        top, left = place // tiles_x * m - word(table, wt.PAD_Y), place % tiles_x * m - word(table, wt.PAD_X)
                        source, row, pixel = x + ((image * height + top) * width + left) * x_pixel, width * x_pixel, x_pixel
                        if top < 0 or left < 0 or top + size > height or left + size > width:
                            fill_window(table, x, image, top, left, size, window)
                            source, row, pixel = window, 4 * size * channels, 4 * channels
                        winograd_input(m, (source, row, pixel, v + i * v_row, v_product, (channels + lanes - 1) // lanes, 4 * (channels - lanes)))
                if what == wt.TRANSFORM:
                    continue
                for k in range(first_block, end_block):
                    block = table + 8 * (wt.HEADER + k * wt.BLOCK)
                    nv, columns = word(block, wt.NV), word(block, wt.COLUMNS)
                    products(nv, count, v + word(block, wt.INPUT), v_row, v_product, whole(n), depth, word(args, 1) + word(block, wt.WEIGHTS), sums)
                    bias = word(args, 2) + word(block, wt.BIAS)
                    for i in range(n):
                        t = first + i
                        image, place = t // per_image, t % per_image
                        top, left = place // tiles_x * m, place % tiles_x * m
                        where = (image * out_height + top) * out_width + left
                        rows, across = min(m, out_height - top), min(m, out_width - left)
                        y = word(args, 4) + 4 * word(block, wt.OUTPUT) + where * y_pixel
                        add = word(args, 3) + 4 * word(block, wt.OUTPUT) + where * add_pixel if word(args, 3) != 0 else 0
                        done = sums + i * count * nv * lanes * 4
                        if rows == m and across == m and columns == nv * lanes:
                            winograd_output(m, (done, nv, bias, add, out_width * add_pixel, add_pixel, y, out_width * y_pixel, y_pixel, mode),
                                            low, high)
                        else:
                            pixel = 4 * WIDE * lanes
                            if add != 0:
                                copy_tile(extra, m * pixel, pixel, add, out_width * add_pixel, add_pixel, rows, across, columns)
                                add = extra
                            winograd_output(m, (done, nv, bias, add, m * pixel, pixel, corner, m * pixel, pixel, mode), low, high)
                            copy_tile(y, out_width * y_pixel, y_pixel, corner, m * pixel, pixel, rows, across, columns)

    return winograd_nhwc_f32


def _provide(function):  # type: ignore[no-untyped-def]
    link()
    return kernel_cfunc(function)


for _m in (2, 4, 6):
    kernel_table.register(winograd_name(_m), partial(_provide, _winograd(_m, LANES)))

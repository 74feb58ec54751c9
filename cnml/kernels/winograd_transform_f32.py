"""The two ends of a Winograd convolution for a run of tiles: windows to rows of the products' operands, and sums to activated outputs.

Called by `cnml.kernels.winograd_f32` as external symbols, like the products.
"""
from __future__ import annotations

from functools import partial

import numpy as np
from numba import types

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import clear, copy
from cnml.kernels.winograd_tiles import input_name, output_name
from cnml.ukernels.simd.symbol import define
from cnml.ukernels.winograd_f32 import LANES, winograd_input, winograd_output
from cnrt import kernel_table

_WORDS = 6


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
def place(table, tile):
    """Image, row and column of a tile."""
    across = word(table, wt.TILES_X)
    each = word(table, wt.TILES_Y) * across
    return tile // each, tile % each // across, tile % across


def _input(m, lanes):
    """The input transform of one size of tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    size = m + 2

    def winograd_input_f32(table, x, first, n, v, window):
        """v[product][i][channel] for the tiles first ≤ first + i < first + n; `window` is working memory for a window of all channels."""
        channels, height, width, x_pixel = word(table, wt.CHANNELS), word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
        vectors, last = (channels + lanes - 1) // lanes, 4 * (channels - lanes)
        for i in range(n):
            image, top, left = place(table, first + i)
            top, left = top * m - word(table, wt.PAD_Y), left * m - word(table, wt.PAD_X)
            source, row, pixel = x + ((image * height + top) * width + left) * x_pixel, width * x_pixel, x_pixel
            if top < 0 or left < 0 or top + size > height or left + size > width:
                fill_window(table, x, image, top, left, size, window)
                source, row, pixel = window, 4 * size * channels, 4 * channels
            winograd_input(m, (source, row, pixel, v + i * word(table, wt.V_ROW), word(table, wt.V_PRODUCT), vectors, last))

    return winograd_input_f32


def _output(m, lanes):
    """The output transform of one size of tile."""
    count = (m + 2) * (m + 2)

    def winograd_output_f32(args, block, first, n, sums, corner):
        """Outputs of one block for a run of tiles; `args` are the convolution's, `corner` is working memory for two tiles of a block."""
        table, nv, columns, mode = word(args, 5), word(block, wt.NV), word(block, wt.COLUMNS), word(args, 8)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        height, width, y_pixel, add_pixel = word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL), word(table, wt.ADD_PIXEL)
        y_row, add_row, pixel = width * y_pixel, width * add_pixel, 4 * nv * lanes
        bias, extra = word(args, 2) + word(block, wt.BIAS), corner + m * m * pixel
        for i in range(n):
            image, top, left = place(table, first + i)
            top, left = top * m, left * m
            where = (image * height + top) * width + left
            rows, across = min(m, height - top), min(m, width - left)
            y = word(args, 4) + 4 * word(block, wt.OUTPUT) + where * y_pixel
            add = word(args, 3) + 4 * word(block, wt.OUTPUT) + where * add_pixel if word(args, 3) != 0 else 0
            done = sums + i * count * pixel
            if rows == m and across == m and columns == nv * lanes:
                winograd_output(m, (done, nv, bias, add, add_row, add_pixel, y, y_row, y_pixel, mode), low, high)
            else:
                if add != 0:
                    copy_tile(extra, m * pixel, pixel, add, add_row, add_pixel, rows, across, columns)
                    add = extra
                winograd_output(m, (done, nv, bias, add, m * pixel, pixel, corner, m * pixel, pixel, mode), low, high)
                copy_tile(y, y_row, y_pixel, corner, m * pixel, pixel, rows, across, columns)

    return winograd_output_f32


def _external(name):  # type: ignore[no-untyped-def]
    return types.ExternalFunction(f"cnml_{name}", types.void(*[types.int64] * _WORDS))


for _m in (2, 4, 6):
    kernel_table.register(input_name(_m), partial(kernel_cfunc, _input(_m, LANES), words=_WORDS))
    kernel_table.register(output_name(_m), partial(kernel_cfunc, _output(_m, LANES), words=_WORDS))

input_2, input_4, input_6 = (_external(input_name(_m)) for _m in (2, 4, 6))
output_2, output_4, output_6 = (_external(output_name(_m)) for _m in (2, 4, 6))


def link(m: int) -> None:
    """Compile or load the transforms of a size and give them to the linker."""
    for name in (input_name(m), output_name(m)):
        define(f"cnml_{name}", kernel_table.address(name))

"""The two ends of a Winograd convolution for a run of tiles: windows to rows of the products' operands, and sums to activated outputs.

`cnml.kernels.winograd_f32` calls them by address.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import clear, copy
from cnml.kernels.winograd_tiles import FORMS, input_name, output_name
from cnml.ukernels.winograd_f32 import LANES, winograd_input, winograd_output
from cnrt import kernel_table

WORDS = 6


@jit
def fill_window(table, x, image, top, left, tall, wide, out):
    """out[tall][wide][channels] = the window at (top, left) of an image, zero outside of it."""
    channels, pixel, width, height = word(table, wt.CHANNELS), word(table, wt.X_PIXEL), word(table, wt.WIDTH), word(table, wt.HEIGHT)
    for i in range(tall):
        for j in range(wide):
            to = out + 4 * (i * wide + j) * channels
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


def _input(my, mx, tall, wide, lanes):
    """The input transform of one form; closes over integers only, see `cnml.kernels.conv_f32`."""
    def winograd_input_f32(table, x, first, n, v, window):
        """v[product][i][channel] for the tiles first ≤ first + i < first + n; `window` is working memory for a window of all channels."""
        channels, height, width, x_pixel = word(table, wt.CHANNELS), word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
        vectors, last = (channels + lanes - 1) // lanes, 4 * (channels - lanes)
        for i in range(n):
            image, top, left = place(table, first + i)
            top, left = top * my - word(table, wt.PAD_Y), left * mx - word(table, wt.PAD_X)
            source, row, pixel = x + ((image * height + top) * width + left) * x_pixel, width * x_pixel, x_pixel
            if top < 0 or left < 0 or top + tall > height or left + wide > width:
                fill_window(table, x, image, top, left, tall, wide, window)
                source, row, pixel = window, 4 * wide * channels, 4 * channels
            winograd_input(tall, wide, (source, row, pixel, v + i * word(table, wt.V_ROW), word(table, wt.V_PRODUCT), vectors, last))

    return winograd_input_f32


def _output(my, mx, tall, wide, lanes):
    """The output transform of one form."""
    def winograd_output_f32(args, block, first, n, sums, corner):
        """Outputs of one block for a run of tiles; `args` are the convolution's, `corner` is working memory for two tiles of a block."""
        table, nv, columns, mode = word(args, 5), word(block, wt.NV), word(block, wt.COLUMNS), word(args, 8)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        height, width, y_pixel, add_pixel = word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL), word(table, wt.ADD_PIXEL)
        y_row, add_row, pixel = width * y_pixel, width * add_pixel, 4 * nv * lanes
        bias, extra = word(args, 2) + word(block, wt.BIAS), corner + my * mx * pixel
        for i in range(n):
            image, top, left = place(table, first + i)
            top, left = top * my, left * mx
            where = (image * height + top) * width + left
            rows, across = min(my, height - top), min(mx, width - left)
            y = word(args, 4) + 4 * word(block, wt.OUTPUT) + where * y_pixel
            add = word(args, 3) + 4 * word(block, wt.OUTPUT) + where * add_pixel if word(args, 3) != 0 else 0
            done = sums + i * tall * wide * pixel
            if rows == my and across == mx and columns == nv * lanes:
                winograd_output(my, mx, tall, wide, (done, nv, bias, add, add_row, add_pixel, y, y_row, y_pixel, mode), low, high)
            else:
                if add != 0:
                    copy_tile(extra, mx * pixel, pixel, add, add_row, add_pixel, rows, across, columns)
                    add = extra
                winograd_output(my, mx, tall, wide, (done, nv, bias, add, mx * pixel, pixel, corner, mx * pixel, pixel, mode), low, high)
                copy_tile(y, y_row, y_pixel, corner, mx * pixel, pixel, rows, across, columns)

    return winograd_output_f32


for _form in FORMS:
    _extents = (_form.my, _form.mx, *_form.size, LANES)
    kernel_table.register(input_name(_form), partial(kernel_cfunc, _input(*_extents), words=WORDS))
    kernel_table.register(output_name(_form), partial(kernel_cfunc, _output(*_extents), words=WORDS))

"""Exact Winograd convolutions F(4x4,3x3), stride 1, on channels-last codes: the results of `cnml.kernels.conv_qs8`, bit for bit.

The drive is that of `cnml.kernels.winograd_f32`, whose scratch this one shares: V holds 16-bit integers, two channels an element, the sums are 32-bit
integers. Arguments: x, weights, ends (float32 factors, then biases), add or 0, y, table, scratch base, scratch step, activation mode, low, high, what
to do (see `cnml.kernels.winograd_table`), kind of `add`, its factor and its code of 0, smallest and largest result, the code of 0 in y, columns in
`ends`. The table comes from `cnml.kernels.winograd_plan_qs8`, weights and ends from `cnml.kernels.winograd_pack_qs8`.
"""
from __future__ import annotations

from functools import partial

import numpy as np
from numba import types

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import real, u8_at, word
from cnml.kernels.bounded_f32 import MOST_BIAS, MOST_FACTOR, are_bounded
from cnml.kernels.bytes_x8 import copy_bytes
from cnml.kernels.conv_qs8 import MOST_ADD, RESULT
from cnml.kernels.winograd_f32 import drive_name
from cnml.kernels.winograd_product_f32 import FETCHED
from cnml.kernels.winograd_tiles import VECTORS
from cnml.kernels.winograd_transform_f32 import WORDS, place
from cnml.ukernels.conv_qs8 import FLOATS, NOTHING
from cnml.ukernels.indirect import symbol_address
from cnml.ukernels.simd.symbol import define
from cnml.ukernels.winograd_integers import TILE, WINDOW
from cnml.ukernels.winograd_qs8 import CHANNELS, LANES, winograd_input_qs8, winograd_output_qs8, winograd_product_qs8
from cnrt import kernel_table

_PRODUCT_WORDS, _DRIVE_WORDS = 9, 9
INPUT_NAME = "winograd_input_qs8"

drive = types.ExternalFunction(f"cnml_{drive_name()}", types.void(*[types.int64] * _DRIVE_WORDS))


def winograd_name_qs8(item: int) -> str:
    """Name of the convolution kernel with results of `item` bytes."""
    return f"winograd_nhwc_qs8_{RESULT[item]}"


def product_name_qs8(nv: int) -> str:
    """Name of the kernel of products with blocks of `nv` vectors."""
    return f"winograd_product_qs8_{nv}"


def output_name_qs8(item: int) -> str:
    """Name of the output transform."""
    return f"winograd_output_qs8_{RESULT[item]}"


@jit(exact=True)
def fill_codes(table, x, image, top, left, out):
    """out[window][window][channels] = the codes at (top, left) of an image, the code of 0 outside of it."""
    channels, pixel, width, height = 2 * word(table, wt.CHANNELS), word(table, wt.X_PIXEL), word(table, wt.WIDTH), word(table, wt.HEIGHT)
    zero = np.uint8(word(table, wt.ZERO))
    for i in range(WINDOW):
        for j in range(WINDOW):
            to, row, column = out + (i * WINDOW + j) * channels, top + i, left + j
            if row < 0 or column < 0 or row >= height or column >= width:
                u8_at(to, channels)[:] = zero
            else:
                copy_bytes(to, x + ((image * height + row) * width + column) * pixel, channels)


@jit(exact=True)
def copy_pixels(out, out_row, out_pixel, source, row, pixel, rows, columns, nbytes):
    """A rectangle of pixels; strides in bytes."""
    for i in range(rows):
        for j in range(columns):
            copy_bytes(out + i * out_row + j * out_pixel, source + i * row + j * pixel, nbytes)


def _input_qs8(table, x, first, n, v, window):
    """v[product][i][channel] for the tiles first ≤ first + i < first + n; `window` is working memory for a window of all channels."""
    channels, height, width, x_pixel = 2 * word(table, wt.CHANNELS), word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
    vectors, last = (channels + CHANNELS - 1) // CHANNELS, channels - CHANNELS
    for i in range(n):
        image, top, left = place(table, first + i)
        top, left = top * TILE - word(table, wt.PAD_Y), left * TILE - word(table, wt.PAD_X)
        source, row, pixel = x + ((image * height + top) * width + left) * x_pixel, width * x_pixel, x_pixel
        if top < 0 or left < 0 or top + WINDOW > height or left + WINDOW > width:
            fill_codes(table, x, image, top, left, window)
            source, row, pixel = window, WINDOW * channels, channels
        winograd_input_qs8((source, row, pixel, v + i * word(table, wt.V_ROW), word(table, wt.V_PRODUCT), vectors, last, word(table, wt.ZERO)))


def _product(nv):
    """The kernel of one width of blocks; closes over an integer only, see `cnml.kernels.conv_f32`."""
    def winograd_product(rows, row, n, depth, weights, out, out_row, ahead, limit):
        """See `cnml.kernels.winograd_product_f32`."""
        groups = (n + 5) // 6
        each, longer = n // groups, n % groups
        share = depth // 4 * FETCHED
        for group in range(groups):
            soon = ahead + min(group * share, limit)
            some = each + 1 if group < longer else each
            if some == 6:
                winograd_product_qs8(6, nv, (rows, row, depth, weights, out, out_row, soon))
            elif some == 5:
                winograd_product_qs8(5, nv, (rows, row, depth, weights, out, out_row, soon))
            else:
                winograd_product_qs8(4, nv, (rows, row, depth, weights, out, out_row, soon))
            rows += some * row
            out += some * out_row

    return winograd_product


def _output(item, lanes):
    """The output transform to results of `item` bytes."""
    def winograd_output(args, block, first, n, sums, corner):
        """Outputs of one block for a run of tiles; `args` are the convolution's, `corner` is working memory for two tiles of a block."""
        table, nv, columns, mode, ended = word(args, 5), word(block, wt.NV), word(block, wt.COLUMNS), word(args, 8), word(args, 18)
        floats = (np.float32(real(args, 9)), np.float32(real(args, 10)), np.float32(real(args, 13)), np.float32(real(args, 15)),
                  np.float32(real(args, 16)))
        kind, add_zero, zero = word(args, 12) if word(args, 3) != 0 else NOTHING, word(args, 14), word(args, 17)
        more_item = 4 if kind == FLOATS else 1
        bounded = kind != FLOATS and abs(floats[2]) < MOST_ADD and are_bounded(word(args, 2), ended, MOST_FACTOR, MOST_BIAS)
        height, width, y_pixel, add_pixel = word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL), word(table, wt.ADD_PIXEL)
        y_row, add_row, pixel, more_pixel = width * y_pixel, width * add_pixel, item * nv * lanes, more_item * nv * lanes
        factor = word(args, 2) + word(block, wt.BIAS)
        bias, extra = factor + 4 * ended, corner + TILE * TILE * pixel
        for i in range(n):
            image, top, left = place(table, first + i)
            top, left = top * TILE, left * TILE
            where = (image * height + top) * width + left
            rows, across = min(TILE, height - top), min(TILE, width - left)
            y = word(args, 4) + item * word(block, wt.OUTPUT) + where * y_pixel
            add = word(args, 3) + more_item * word(block, wt.OUTPUT) + where * add_pixel
            done = sums + i * WINDOW * WINDOW * 4 * nv * lanes
            if rows == TILE and across == TILE and columns == nv * lanes:
                winograd_output_qs8(item, (done, nv, factor, bias, add, add_row, add_pixel, kind, add_zero, y, y_row, y_pixel, mode, zero, bounded),
                                    floats)
            else:
                if kind != NOTHING:
                    copy_pixels(extra, TILE * more_pixel, more_pixel, add, add_row, add_pixel, rows, across, more_item * columns)
                winograd_output_qs8(item, (done, nv, factor, bias, extra, TILE * more_pixel, more_pixel, kind, add_zero, corner, TILE * pixel, pixel,
                                           mode, zero, bounded), floats)
                copy_pixels(y, y_row, y_pixel, corner, TILE * pixel, pixel, rows, across, item * columns)

    return winograd_output


def _winograd(into, out, wide, middle, narrow):
    """The kernel of one kind of results; closes over names only."""
    def winograd_nhwc_qs8(args, task_id, task_dim):
        """y = activation(factor * conv(x - zero, weights) + bias + add_factor * add), see `cnml.kernels.winograd_f32`."""
        drive(args, task_id, task_dim, 4, symbol_address(into), symbol_address(out), symbol_address(wide), symbol_address(middle),
              symbol_address(narrow))

    return winograd_nhwc_qs8


def _provide(item):  # type: ignore[no-untyped-def]
    products = [product_name_qs8(nv) for nv in VECTORS[LANES]]
    parts = [INPUT_NAME, output_name_qs8(item), *(products[min(rank, len(products) - 1)] for rank in range(3))]
    for name in (*parts, drive_name()):
        define(f"cnml_{name}", kernel_table.address(name))
    return kernel_cfunc(_winograd(*(f"cnml_{name}" for name in parts)), exact=True)


kernel_table.register(INPUT_NAME, partial(kernel_cfunc, _input_qs8, exact=True, words=WORDS))
for _nv in VECTORS[LANES]:
    kernel_table.register(product_name_qs8(_nv), partial(kernel_cfunc, _product(_nv), exact=True, words=_PRODUCT_WORDS))
for _item in RESULT:
    kernel_table.register(output_name_qs8(_item), partial(kernel_cfunc, _output(_item, LANES), exact=True, words=WORDS))
    kernel_table.register(winograd_name_qs8(_item), partial(_provide, _item))

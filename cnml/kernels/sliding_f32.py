"""Float32 depthwise convolutions of the usual kinds: one output a channel, three to five kernel columns, stride 1 or 2, no dilation.

Arguments, table and packed weights as in `cnml.kernels.depthwise_f32`. A band of output lines (CHUNK pixels) is one piece of work with one block of
channels. Each band begins with the pointers to all input pixels under it, to zeros where they lie outside; tiles then go down the band, so that what
two lines share is still in the first-level cache.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import i64_at, real, word
from cnml.kernels.conv_addressing import align_64, clear
from cnml.kernels.conv_tiles import SLIDING_KERNELS, SLIDING_STRIDES, SLIDING_TILES, sliding_name, stored_items
from cnml.ukernels.sliding_f32 import LANES, sliding_tile
from cnrt import kernel_table


@jit
def band_lines(table, phase, band):
    """Image, first output line and number of output lines of a band."""
    height, rows = word(phase, ct.GRID_HEIGHT), word(table, ct.CHUNK) // word(phase, ct.GRID_WIDTH)
    bands = (height + rows - 1) // rows
    first = band % bands * rows
    return band // bands, first, min(rows, height - first)


@jit
def fill_lines(table, phase, x, zeros, band, wide, pointers):
    """pointers[line][column] of the input pixels of a band, `wide` columns from the first tap's on."""
    image, first, rows = band_lines(table, phase, band)
    height, width, pixel = word(table, ct.HEIGHT), word(table, ct.WIDTH), word(table, ct.X_PIXEL)
    top, left = first * word(phase, ct.STEP_Y) + word(phase, ct.MIN_Y), word(phase, ct.MIN_X)
    lines = (rows - 1) * word(phase, ct.STEP_Y) + word(phase, ct.MAX_Y) - word(phase, ct.MIN_Y) + 1
    begin, end = min(max(-left, 0), wide), max(min(width - left, wide), 0)
    for line in range(lines):
        dst, y = i64_at(pointers + 8 * line * wide, wide), top + line
        start = x + ((image * height + y) * width + left) * pixel
        inside = y >= 0 and y < height
        for i in range(wide):
            dst[i] = start + i * pixel if inside and i >= begin and i < end else zeros


def _sliding(width, nv, lanes, columns, stride, item):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes

    def sliding_f32(args, task_id, task_dim):
        """y = activation(depthwise conv(x, weights) + bias + add); tasks take bands of (band of lines, block of channels)."""
        table, scratch = word(args, 5), word(args, 6) + task_id * word(args, 7)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        phase = table + 8 * ct.HEADER
        channels, out_width = word(table, ct.CHANNELS), word(phase, ct.GRID_WIDTH)
        y_pixel, add_pixel, step_y = word(table, ct.Y_PIXEL), word(table, ct.ADD_PIXEL), word(phase, ct.STEP_Y)
        blocks, taps, tiles = (channels + nr - 1) // nr, word(phase, ct.TAPS), (out_width + width - 1) // width
        wide = (tiles * width - 1) * stride + columns
        clear(scratch, word(table, ct.ZEROS))
        pointers = scratch + align_64(4 * word(table, ct.ZEROS))
        lines = word(table, ct.CHUNK) // out_width
        items = word(table, ct.BATCH) * ((word(phase, ct.GRID_HEIGHT) + lines - 1) // lines) * blocks
        current = np.int64(-1)
        for piece in range(items * task_id // task_dim, items * (task_id + 1) // task_dim):
            band, block = piece // blocks, piece % blocks
            if band != current:
                current = band
                fill_lines(table, phase, word(args, 0), scratch, band, wide, pointers)
            image, first, rows = band_lines(table, phase, band)
            channel = 4 * block * nr
            weights, bias = word(args, 1) + item * nr * taps * block, word(args, 2) + channel
            for tile in range(tiles):
                for row in range(rows):
                    at = (image * word(phase, ct.GRID_HEIGHT) + first + row) * out_width + tile * width
                    add = word(args, 3) + channel + at * add_pixel if word(args, 3) != 0 else 0
                    sliding_tile(width, nv, columns, stride, item,
                                 (pointers + 8 * (row * step_y * wide + tile * width * stride), 8 * wide, taps // columns, channel,
                                  channels - block * nr, weights, out_width - tile * width, bias, add, add_pixel,
                                  word(args, 4) + channel + at * y_pixel, y_pixel, word(args, 8)), low, high)

    return sliding_f32


for _t in SLIDING_TILES[LANES]:
    for _columns in SLIDING_KERNELS:
        for _stride in SLIDING_STRIDES:
            for _item in stored_items():
                kernel_table.register(sliding_name(_t.mr, _t.nv * LANES, _columns, _stride, _item),
                                      partial(kernel_cfunc, _sliding(_t.mr, _t.nv, LANES, _columns, _stride, _item)))

"""INT8 depthwise convolutions on channels-last codes: one output a channel.

Arguments: x, weights, ends, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), smallest and largest
result and the code of 0 in y. Table, weights and ends come from `cnml.kernels.depthwise_plan_qs8`. As in `cnml.kernels.sliding_f32`, a band of output
lines with one block of channels is a piece of work, and begins with pointers to all input pixels under it.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import real, word
from cnml.kernels.bounded_f32 import MOST_BIAS, MOST_FACTOR, are_bounded
from cnml.kernels.conv_addressing import align_64, pad
from cnml.kernels.depthwise_plan_qs8 import LINES, RESULT, line_name
from cnml.kernels.sliding_f32 import band_lines, fill_lines
from cnml.ukernels.depthwise_qs8 import depthwise_line_qs8
from cnrt import kernel_table

#: words of a block in the table: first channel, lanes, channels that exist, words of weights of one step and channels of ends before it
BLOCK_WORDS = 5


def _depthwise(form, item):
    """The kernel of one form, or of any (rows 0); closes over integers only, see `cnml.kernels.conv_f32`."""
    kernel_rows, columns, stride = form

    def depthwise_qs8(args, task_id, task_dim):
        """y = activation(factor * (start + depthwise conv(x, weights)) + bias); tasks take bands of (band of lines, block of channels)."""
        table, scratch = word(args, 4), word(args, 5) + task_id * word(args, 6)
        floats = np.float32(real(args, 8)), np.float32(real(args, 9)), np.float32(real(args, 10)), np.float32(real(args, 11))
        phase = table + 8 * ct.HEADER
        out_width, y_pixel, count = word(phase, ct.GRID_WIDTH), word(table, ct.Y_PIXEL), word(phase, ct.TAPS)
        more = table + 8 * (word(phase, ct.FIRST_TAP) + 3 * count)
        wide, blocks, taps = word(more, 0), word(more, 1), more + 8 * (2 + BLOCK_WORDS * word(more, 1))
        bounded = True
        for i in range(blocks):
            block = more + 8 * (2 + BLOCK_WORDS * i)
            bounded = bounded and are_bounded(word(args, 2) + 12 * word(block, 4) + 16 * word(block, 1), 4 * word(block, 1), MOST_FACTOR, MOST_BIAS)
        steps = (kernel_rows + 3) // 4 * columns if kernel_rows != 0 else (count + 3) // 4
        pad(scratch, word(table, ct.ZEROS), word(table, ct.PAD))
        pointers = scratch + align_64(4 * word(table, ct.ZEROS))
        down, along = 8 * wide * word(phase, ct.STEP_Y), 8 * word(phase, ct.STEP_X)
        lines = word(table, ct.CHUNK) // out_width
        items = word(table, ct.BATCH) * ((word(phase, ct.GRID_HEIGHT) + lines - 1) // lines) * blocks
        current = np.int64(-1)
        for piece in range(items * task_id // task_dim, items * (task_id + 1) // task_dim):
            band, block = piece // blocks, more + 8 * (2 + BLOCK_WORDS * (piece % blocks))
            if band != current:
                current = band
                fill_lines(table, phase, word(args, 0), scratch, band, wide, pointers)
            image, first, rows = band_lines(table, phase, band)
            channel, lanes, existing = word(block, 0), word(block, 1), word(block, 2)
            weights, ends = word(args, 1) + 4 * steps * word(block, 3), word(args, 2) + 12 * word(block, 4)
            for row in range(rows):
                at = (image * word(phase, ct.GRID_HEIGHT) + first + row) * out_width
                depthwise_line_qs8(kernel_rows, columns, stride, item,
                                   (pointers + row * down, 8 * wide, along, taps, steps, channel, lanes, existing, weights, ends, out_width,
                                    word(args, 3) + item * channel + at * y_pixel, y_pixel, word(args, 7), word(args, 12), bounded), floats)

    return depthwise_qs8


for _item in RESULT:
    for _form in LINES:
        kernel_table.register(line_name(_item, _form), partial(kernel_cfunc, _depthwise(_form, _item), exact=True))
    kernel_table.register(line_name(_item, None), partial(kernel_cfunc, _depthwise((0, 0, 0), _item), exact=True))

"""Pooling of codes (`cnml.codes`) with the channels innermost; Caffe's windows.

Arguments x, y, n, h, w, c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, bytes from one pixel to the next of x and of y; then
for the maximum the code of a window without pixels, for averages the code of 0 in x and the ratio of the units (x's in y's), and for averages in
codes the least and most result in units and the code of 0 in y. Tasks take bands of the output's rows, or of the rows of blocks of channels.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import real, word
from cnml.kernels.pool_f32 import span
from cnml.ukernels.window_x8 import AVERAGE, AVERAGE_FLOATS, GREATEST, window_x8

#: rows for each task that count as enough to be shared evenly
ENOUGH = 4
#: channels of a block are a multiple of this
BLOCK = 64


@jit
def block_of(args, task_dim):
    """Channels of a block: all where there are rows for everybody."""
    channels = word(args, 5)
    if task_dim == 1 or word(args, 2) * word(args, 6) >= ENOUGH * task_dim:
        return max(channels, 1)
    return max((channels // task_dim + BLOCK - 1) // BLOCK, 1) * BLOCK


def _pool(kind, item):
    def pool_x8(args, task_id, task_dim):
        """y = the pixels of each window, reduced."""
        h, w, c, oh, ow = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7)
        pixel, out_pixel = word(args, 14), word(args, 15)
        block, rows = block_of(args, task_dim), word(args, 2) * oh
        units = rows * ((c + block - 1) // block)
        ratio = least = most = np.float32(0)
        x_zero = zero = empty = 0
        if kind == GREATEST:
            empty = word(args, 16)
        else:
            x_zero, ratio = word(args, 16), np.float32(real(args, 17))
        if kind == AVERAGE:
            least, most, zero = np.float32(real(args, 18)), np.float32(real(args, 19)), word(args, 20)
        for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
            row, first = unit % rows, unit // rows * block
            h0, h1, height = span(row % oh, h, word(args, 8), word(args, 10), word(args, 12))
            x = word(args, 0) + (row // oh * h + h0) * w * pixel + first
            y = word(args, 1) + row * ow * out_pixel + item * first
            for j in range(ow):
                w0, w1, width = span(j, w, word(args, 9), word(args, 11), word(args, 13))
                # a window wholly outside has no pixels, and may have the extent 0
                window_x8(kind, (x + w0 * pixel, y + j * out_pixel, min(block, c - first), max(h1 - h0, 0), max(w1 - w0, 0), w * pixel, pixel, x_zero,
                                 zero, empty), (ratio, np.float32(height * width), least, most))

    return pool_x8


for _name, _kind, _item in (("pool_max_x8", GREATEST, 1), ("pool_ave_x8", AVERAGE, 1), ("pool_ave_x8_f32", AVERAGE_FLOATS, 4)):
    kernel(_name, exact=True)(_pool(_kind, _item))

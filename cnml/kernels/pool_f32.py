"""Pooling with the channels innermost; arguments x, y, n, h, w, c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, and the
elements from one pixel to the next of x and of y.

Tasks take bands of the output's rows, or of the rows of all blocks of channels, one block after the other. The common small windows have kernels of
their own, in which neighbouring windows share columns (`cnml.kernels.pool_plan`).
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.kernels.pool_plan import LINES, line_name
from cnml.ukernels.window_f32 import GREATEST, LANES, SUM, window, window_line

#: channels of a block: where they do not go into the wider ones and tasks share, the narrower, for even shares
BLOCK, NARROW = 64, 32
#: channels of a block where pixels lie a multiple of this many floats apart, so that they compete for the same sets of the cache
COMPETING = 256
#: rows for each task that count as enough to be shared evenly; and where pixels compete
ENOUGH, FEW = 16, 4
#: bytes of a block's rows that stay in the first-level cache until the next row of windows reads them again
NEAR = 24 * 1024
ONE = np.float32(1)


@jit
def block_of(args, task_dim):
    """Channels of a block. The image is divided where rows are few, and where a block's rows are read again from close by."""
    h_step, rows, channels = word(args, 10), word(args, 2) * word(args, 6), word(args, 5)
    competing = word(args, 14) % COMPETING == 0
    again = h_step < word(args, 8) and word(args, 8) * word(args, 4) * BLOCK * 4 <= NEAR and not competing
    if again or (task_dim > 1 and rows < (FEW if competing else ENOUGH) * task_dim):
        return COMPETING if competing else (NARROW if task_dim > 1 and channels % BLOCK != 0 else BLOCK)
    return max(channels, 1)


@jit
def span(i, size, kernel_size, stride, pad):
    """First, last and (padded) extent of window i on one axis."""
    start = i * stride - pad
    end = min(start + kernel_size, size + pad)
    return max(start, 0), min(start + kernel_size, size), end - start


@jit
def row_address(args, unit, block, image_row):
    """Addresses of a unit's first input (in the image row given) and output, and its channels."""
    h, w, c, oh, ow = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    rows = word(args, 2) * oh
    row, first = unit % rows, unit // rows * block
    x = word(args, 0) + 4 * ((row // oh * h + image_row) * w * word(args, 14) + first)
    y = word(args, 1) + 4 * (row * ow * word(args, 15) + first)
    return x, y, min(block, c - first)


def _pool(kind):
    def pool_f32(args, task_id, task_dim):
        """Any window."""
        n, h, w, oh, ow = word(args, 2), word(args, 3), word(args, 4), word(args, 6), word(args, 7)
        pixel, out_pixel = 4 * word(args, 14), 4 * word(args, 15)
        block = block_of(args, task_dim)
        units = n * oh * ((word(args, 5) + block - 1) // block)
        for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
            h0, h1, height = span(unit % oh, h, word(args, 8), word(args, 10), word(args, 12))
            x, y, channels = row_address(args, unit, block, h0)
            for j in range(ow):
                w0, w1, width = span(j, w, word(args, 9), word(args, 11), word(args, 13))
                # a window wholly outside may have the extent 0: 0 * inf is the NaN that 0 / 0 gives
                window(kind, (x + w0 * pixel, y + j * out_pixel, channels, w * pixel, pixel, out_pixel), h1 - h0, w1 - w0,
                       ONE / np.float32(height * width))

    return pool_f32


def _pool_lines(kind, kernel_h, kernel_w, stride_w, lanes):
    fewer = kernel_h - 1

    def pool_lines_f32(args, task_id, task_dim):
        """Windows of one size and one horizontal stride: whole ones in lines, those at the border one by one."""
        n, h, w, oh, ow = word(args, 2), word(args, 3), word(args, 4), word(args, 6), word(args, 7)
        pad, pixel, out_pixel = word(args, 13), 4 * word(args, 14), 4 * word(args, 15)
        block = block_of(args, task_dim)
        units = n * oh * ((word(args, 5) + block - 1) // block)
        # going down lines of pixels a large power of two apart is slower than reading all of every window in order
        lined = word(args, 14) < COMPETING or word(args, 14) & (word(args, 14) - 1) != 0
        j0 = min((pad + stride_w - 1) // stride_w, ow)
        j1 = max(min((w + pad - kernel_w) // stride_w + 1, ow), j0)
        for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
            h0, h1, height = span(unit % oh, h, kernel_h, word(args, 10), word(args, 12))
            x, y, channels = row_address(args, unit, block, h0)
            inside, rows = 0, h1 - h0
            if channels >= lanes and rows >= fewer and lined:
                inside = j1 - j0
                line = (x + (j0 * stride_w - pad) * pixel, y + j0 * out_pixel, channels, w * pixel, pixel, out_pixel)
                scale = ONE / np.float32(height * kernel_w)
                if rows == kernel_h:
                    window_line(kind, kernel_h, kernel_w, stride_w, line, inside, scale)
                else:
                    window_line(kind, fewer, kernel_w, stride_w, line, inside, scale)
            for i in range(ow - inside):
                j = i if i < j0 else i + inside
                w0, w1, width = span(j, w, kernel_w, stride_w, pad)
                window(kind, (x + w0 * pixel, y + j * out_pixel, channels, w * pixel, pixel, out_pixel), rows, w1 - w0,
                       ONE / np.float32(height * width))

    return pool_lines_f32


for _kind, _method in ((GREATEST, "max"), (SUM, "ave")):
    kernel(f"pool_{_method}_f32")(_pool(_kind))
    for _window in LINES:
        kernel(line_name(_method, *_window))(_pool_lines(_kind, *_window, LANES))

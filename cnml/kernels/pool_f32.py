"""Pooling with the channels innermost; arguments x, y, n, h, w, c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w.

Tasks take bands of the output's rows, each row cut into blocks of channels where there are few.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.window_f32 import window_max, window_sum

#: channels that one task takes at a time when rows are few
BLOCK = 64
#: rows for each task that count as enough to be shared evenly
ENOUGH = 4
ONE = np.float32(1)


@jit
def blocks(rows, channels, task_dim):
    """Into how many blocks of channels every row is divided."""
    return 1 if task_dim == 1 or rows >= ENOUGH * task_dim else (channels + BLOCK - 1) // BLOCK


@jit
def span(i, size, kernel_size, stride, pad):
    """First, last and (padded) extent of window i on one axis."""
    start = i * stride - pad
    end = min(start + kernel_size, size + pad)
    return max(start, 0), min(start + kernel_size, size), end - start


@kernel("pool_max_f32")
def pool_max_f32(args, task_id, task_dim):
    """y = the greatest element of every window."""
    n, h, w, c, oh, ow = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    parts = blocks(n * oh, c, task_dim)
    units = n * oh * parts
    for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
        row, first = unit // parts, unit % parts * BLOCK
        channels = c if parts == 1 else min(BLOCK, c - first)
        h0, h1, _ = span(row % oh, h, word(args, 8), word(args, 10), word(args, 12))
        x = word(args, 0) + 4 * ((row // oh * h + h0) * w * c + first)
        y = word(args, 1) + 4 * (row * ow * c + first)
        for j in range(ow):
            w0, w1, _ = span(j, w, word(args, 9), word(args, 11), word(args, 13))
            window_max(x + 4 * w0 * c, y + 4 * j * c, channels, h1 - h0, w1 - w0, 4 * w * c, 4 * c)


@kernel("pool_ave_f32")
def pool_ave_f32(args, task_id, task_dim):
    """y = the sum of every window over its extent, in which padding counts."""
    n, h, w, c, oh, ow = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    parts = blocks(n * oh, c, task_dim)
    units = n * oh * parts
    for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
        row, first = unit // parts, unit % parts * BLOCK
        channels = c if parts == 1 else min(BLOCK, c - first)
        h0, h1, height = span(row % oh, h, word(args, 8), word(args, 10), word(args, 12))
        x = word(args, 0) + 4 * ((row // oh * h + h0) * w * c + first)
        y = word(args, 1) + 4 * (row * ow * c + first)
        for j in range(ow):
            w0, w1, width = span(j, w, word(args, 9), word(args, 11), word(args, 13))
            # a window wholly outside may have the extent 0: 0 * inf is the NaN that 0 / 0 gives
            window_sum(x + 4 * w0 * c, y + 4 * j * c, channels, h1 - h0, w1 - w0, 4 * w * c, 4 * c, ONE / np.float32(height * width))

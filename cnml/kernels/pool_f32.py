"""Pooling with the channels innermost; arguments x, y, n, h, w, c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w.

Tasks take bands of the output's pixels, or of the channels where there are few pixels.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.window_f32 import window_max, window_sum

#: channels that one task takes at a time when pixels are few
BLOCK = 64


@jit
def blocks(pixels, channels, task_dim):
    """Into how many blocks of channels every pixel is divided."""
    return 1 if pixels >= 4 * task_dim else (channels + BLOCK - 1) // BLOCK


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
    parts = blocks(n * oh * ow, c, task_dim)
    units = n * oh * ow * parts
    for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
        pixel, part = unit // parts, unit % parts
        first = part * BLOCK
        channels = c if parts == 1 else min(BLOCK, c - first)
        h0, h1, _ = span(pixel // ow % oh, h, word(args, 8), word(args, 10), word(args, 12))
        w0, w1, _ = span(pixel % ow, w, word(args, 9), word(args, 11), word(args, 13))
        x = word(args, 0) + 4 * (((pixel // (ow * oh) * h + h0) * w + w0) * c + first)
        window_max(x, word(args, 1) + 4 * (pixel * c + first), channels, h1 - h0, w1 - w0, 4 * w * c, 4 * c)


@kernel("pool_ave_f32")
def pool_ave_f32(args, task_id, task_dim):
    """y = the sum of every window over its extent, in which padding counts."""
    n, h, w, c, oh, ow = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    parts = blocks(n * oh * ow, c, task_dim)
    units = n * oh * ow * parts
    for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
        pixel, part = unit // parts, unit % parts
        first = part * BLOCK
        channels = c if parts == 1 else min(BLOCK, c - first)
        h0, h1, height = span(pixel // ow % oh, h, word(args, 8), word(args, 10), word(args, 12))
        w0, w1, width = span(pixel % ow, w, word(args, 9), word(args, 11), word(args, 13))
        x = word(args, 0) + 4 * (((pixel // (ow * oh) * h + h0) * w + w0) * c + first)
        # a window wholly outside may have the extent 0: 0 * inf is the NaN that 0 / 0 gives
        window_sum(x, word(args, 1) + 4 * (pixel * c + first), channels, h1 - h0, w1 - w0, 4 * w * c, 4 * c, np.float32(1) / np.float32(height * width))

"""Batched matrix transposition of 4-byte elements."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@jit()
def lines_of_a_tile(stride):
    """How many lines `stride` elements apart a tile may read: lines whose distance is a multiple of a page's fraction compete for the same sets of
    the cache.
    """
    return 16 if stride % 256 == 0 else 64


@jit()
def _transpose_block(x, y, rows, cols, r0, r1, c0, c1):
    step = np.uint64(cols)  # an unsigned index needs no check for a negative one
    for c in range(c0, c1):
        source, target = x[r0 * cols + c:], y[c * rows + r0:]
        for r in range(r1 - r0):
            target[r] = source[np.uint64(r) * step]


@kernel("transpose_x32")
def transpose_x32(args, task_id, task_dim):
    """y[n, c, r] = x[n, r, c] for n matrices of rows x cols; tasks take bands of the output."""
    n, rows, cols = word(args, 2), word(args, 3), word(args, 4)
    size = rows * cols
    first, last = cols * task_id // task_dim, cols * (task_id + 1) // task_dim
    tile = lines_of_a_tile(cols)
    for i in range(n):
        x = i32_at(word(args, 0) + 4 * i * size, size)
        y = i32_at(word(args, 1) + 4 * i * size, size)
        for c0 in range(first, last, 16):
            for r0 in range(0, rows, tile):
                _transpose_block(x, y, rows, cols, r0, min(r0 + tile, rows), c0, min(c0 + 16, last))

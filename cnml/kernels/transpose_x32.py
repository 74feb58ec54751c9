"""Batched matrix transposition of 4-byte elements."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@jit()
def _transpose_block(x, y, rows, cols, r0, r1, c0, c1):
    for c in range(c0, c1):
        for r in range(r0, r1):
            y[c * rows + r] = x[r * cols + c]


@kernel("transpose_x32")
def transpose_x32(args, task_id, task_dim):
    """y[n, c, r] = x[n, r, c] for n matrices of rows x cols; tasks take bands of the output."""
    n, rows, cols = word(args, 2), word(args, 3), word(args, 4)
    size = rows * cols
    first, last = cols * task_id // task_dim, cols * (task_id + 1) // task_dim
    for i in range(n):
        x = i32_at(word(args, 0) + 4 * i * size, size)
        y = i32_at(word(args, 1) + 4 * i * size, size)
        for c0 in range(first, last, 16):
            for r0 in range(0, rows, 64):
                _transpose_block(x, y, rows, cols, r0, min(r0 + 64, rows), c0, min(c0 + 16, last))

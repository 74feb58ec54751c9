"""Strided copies of 4-byte elements: any permutation of up to six axes."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, i64_at, word


@jit()
def _copy_rows(x, y, rows, step, cols):
    for r in range(rows):
        for c in range(cols):
            y[r * cols + c] = x[r * step + c]


@jit()
def _transpose_tiles(x, y, first, last, cols, step):
    """y[r * cols + c] = x[r + c * step]: reads go along r, so a tile keeps both sides in cache."""
    for c0 in range(0, cols, 64):
        c1 = min(c0 + 64, cols)
        for r0 in range(first, last, 16):
            for r in range(r0, min(r0 + 16, last)):
                for c in range(c0, c1):
                    y[r * cols + c] = x[r + c * step]


@jit()
def _gather_rows(x, y, first, last, row_step, cols, step):
    for r in range(first, last):
        for c in range(cols):
            y[r * cols + c] = x[r * row_step + c * step]


@kernel("permute_x32")
def permute_x32(args, task_id, task_dim):
    """y (C order of the six extents) = x read by six strides; tasks take bands of the four outer axes, or of axis 4 if those are few."""
    table = i64_at(word(args, 2), 12)
    d1, d2, d3, d4, d5 = table[1], table[2], table[3], table[4], table[5]
    s4, s5 = table[10], table[11]
    outer = table[0] * d1 * d2 * d3
    n = outer * d4 * d5
    x, y = i32_at(word(args, 0), n), i32_at(word(args, 1), n)
    first, last, r0, r1 = outer * task_id // task_dim, outer * (task_id + 1) // task_dim, 0, d4
    if outer < task_dim:
        first, last, r0, r1 = 0, outer, d4 * task_id // task_dim, d4 * (task_id + 1) // task_dim
    for o in range(first, last):
        i3 = o % d3
        i2 = o // d3 % d2
        i1 = o // (d3 * d2) % d1
        i0 = o // (d3 * d2 * d1)
        source = x[i0 * table[6] + i1 * table[7] + i2 * table[8] + i3 * table[9]:]
        target = y[o * d4 * d5:]
        if s5 == 1:
            _copy_rows(source[r0 * s4:], target[r0 * d5:], r1 - r0, s4, d5)
        elif s4 == 1:
            _transpose_tiles(source, target, r0, r1, d5, s5)
        else:
            _gather_rows(source, target, r0, r1, s4, d5, s5)

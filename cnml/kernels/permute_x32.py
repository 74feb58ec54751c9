"""Strided copies of 4-byte elements: any permutation of up to six axes."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, i64_at, word
from cnml.kernels.transpose_x32 import lines_of_a_tile

#: elements that a tile reads in a row, a cache line
RUN = 16


@jit()
def _copy_rows(x, y, first, last, x_step, y_step, cols):
    for r in range(first, last):
        source, target = x[r * x_step:], y[r * y_step:]
        for c in range(cols):
            target[c] = source[c]


@jit()
def _transpose_tiles(x, y, first, last, y_step, cols, x_step):
    """y[r * y_step + c] = x[r + c * x_step]."""
    step = np.uint64(x_step)  # an unsigned index needs no check for a negative one
    lines = lines_of_a_tile(x_step)
    for r0 in range(first, last, RUN):
        for c0 in range(0, cols, lines):
            n = min(lines, cols - c0)
            for r in range(r0, min(r0 + RUN, last)):
                source, target = x[r + c0 * x_step:], y[r * y_step + c0:]
                for c in range(n):
                    target[c] = source[np.uint64(c) * step]


@kernel("permute_x32")
def permute_x32(args, task_id, task_dim):
    """The table holds six extents, the strides of x (1 for axis 4 or 5) and the strides of y (1 for axis 5).

    Tasks take bands of the four outer axes, or of axis 4 if those are few.
    """
    table = i64_at(word(args, 2), 18)
    d1, d2, d3, d4, d5 = table[1], table[2], table[3], table[4], table[5]
    x4, x5, y4 = table[10], table[11], table[16]
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
        target = y[i0 * table[12] + i1 * table[13] + i2 * table[14] + i3 * table[15]:]
        if x5 == 1:
            _copy_rows(source, target, r0, r1, x4, y4, d5)
        else:
            _transpose_tiles(source, target, r0, r1, y4, d5, x5)

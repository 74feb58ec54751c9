"""Padding and cropping of up to five axes."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, i64_at, real, word


@jit()
def _filled(y, n, value):
    for i in range(n):
        y[i] = value


@jit()
def _copied(x, y, n):
    for i in range(n):
        y[i] = x[i]


@kernel("pad_f32", exact=True)
def pad_f32(args, task_id, task_dim):
    """The table holds the input's extents, the output's and the paddings before each axis; tasks take bands of the four outer output axes."""
    table, value = i64_at(word(args, 2), 15), np.float32(real(args, 3))
    n0, n1, n2, n3, n4 = table[0], table[1], table[2], table[3], table[4]
    m1, m2, m3, m4 = table[6], table[7], table[8], table[9]
    lines = table[5] * m1 * m2 * m3
    x, y = f32_at(word(args, 0), n0 * n1 * n2 * n3 * n4), f32_at(word(args, 1), lines * m4)
    before = table[14]
    left, right = min(max(before, 0), m4), min(max(before + n4, 0), m4)
    for line in range(lines * task_id // task_dim, lines * (task_id + 1) // task_dim):
        i3 = line % m3 - table[13]
        i2 = line // m3 % m2 - table[12]
        i1 = line // (m3 * m2) % m1 - table[11]
        i0 = line // (m3 * m2 * m1) - table[10]
        at = line * m4
        if i0 < 0 or i0 >= n0 or i1 < 0 or i1 >= n1 or i2 < 0 or i2 >= n2 or i3 < 0 or i3 >= n3:
            _filled(y[at:], m4, value)
            continue
        source = (((i0 * n1 + i1) * n2 + i2) * n3 + i3) * n4 - before
        _filled(y[at:], left, value)
        if right > left:
            _copied(x[source + left:], y[at + left:], right - left)
        _filled(y[at + right:], m4 - right, value)

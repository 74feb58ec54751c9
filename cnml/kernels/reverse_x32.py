"""Copies with one axis reversed."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@jit()
def _copied(x, y, n):
    for i in range(n):
        y[i] = x[i]


@jit()
def _reversed(x, y, n):
    for i in range(n):
        y[i] = x[np.uint64(n - 1 - i)]


@kernel("reverse_x32")
def reverse_x32(args, task_id, task_dim):
    """y[o, i] = x[o, n - 1 - i] for (outer, n, inner); tasks take bands of outer * n."""
    outer, n, inner = word(args, 2), word(args, 3), word(args, 4)
    x, y = i32_at(word(args, 0), outer * n * inner), i32_at(word(args, 1), outer * n * inner)
    if inner == 1 and outer >= task_dim:
        for o in range(outer * task_id // task_dim, outer * (task_id + 1) // task_dim):
            _reversed(x[o * n:], y[o * n:], n)
        return
    for line in range(outer * n * task_id // task_dim, outer * n * (task_id + 1) // task_dim):
        source, target = (line // n * n + n - 1 - line % n) * inner, line * inner
        _copied(x[source:], y[target:], inner)

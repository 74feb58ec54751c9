"""Concatenated ReLU."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word


@jit()
def _line(x, y, n, slope):
    zero = np.float32(0)
    for i in range(n):
        v = x[i]
        y[i] = v if v > zero else slope * v
    for i in range(n):
        v = -x[i]
        y[n + i] = v if v > zero else slope * v


@kernel("crelu_f32")
def crelu_f32(args, task_id, task_dim):
    """y (outer, 2 n) = relu(x), relu(-x) for x (outer, n); tasks take bands of outer, or all is done by bands of n if outer is 1."""
    outer, n, slope = word(args, 2), word(args, 3), np.float32(real(args, 4))
    x, y = f32_at(word(args, 0), outer * n), f32_at(word(args, 1), 2 * outer * n)
    if outer >= task_dim:
        for o in range(outer * task_id // task_dim, outer * (task_id + 1) // task_dim):
            _line(x[o * n:], y[2 * o * n:], n, slope)
        return
    zero = np.float32(0)
    for o in range(outer):
        for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
            v = x[o * n + i]
            y[2 * o * n + i] = v if v > zero else slope * v
            y[(2 * o + 1) * n + i] = -v if -v > zero else -slope * v

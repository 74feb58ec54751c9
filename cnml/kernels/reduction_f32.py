"""Sums of rows."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word

_BLOCK = 1024


@jit()
def _sum(x):
    total = np.float32(0)
    for i in range(x.size):
        total += x[i]
    return total


@jit()
def _sum_abs(x):
    total = np.float32(0)
    for i in range(x.size):
        total += abs(x[i])
    return total


@jit()
def _sum_squares(x):
    total = np.float32(0)
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@kernel("reduction_f32")
def reduction_f32(args, task_id, task_dim):
    """y[r] = coeff * sum of x[r, :], |x| or x²; blocks of a row are summed in float32 and then in float64, so that long rows lose nothing."""
    rows, columns, operation, coeff = word(args, 2), word(args, 3), word(args, 4), real(args, 5)
    x, y = f32_at(word(args, 0), rows * columns), f32_at(word(args, 1), rows)
    for r in range(rows * task_id // task_dim, rows * (task_id + 1) // task_dim):
        total = 0.0
        for at in range(r * columns, (r + 1) * columns, _BLOCK):
            block = x[at:min(at + _BLOCK, (r + 1) * columns)]
            if operation == 0:
                total += _sum(block)
            elif operation == 1:
                total += _sum_abs(block)
            else:
                total += _sum_squares(block)
        y[r] = coeff * total

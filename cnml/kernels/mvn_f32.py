"""Mean-variance normalisation of rows."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word

_BLOCK = 1024


@jit()
def _block_sum(x):
    total = np.float32(0)
    for i in range(x.size):
        total += x[i]
    return total


@jit()
def _block_squares(x, mean):
    total = np.float32(0)
    for i in range(x.size):
        d = x[i] - mean
        total += d * d
    return total


@jit()
def _affine(x, y, mean, factor):
    for i in range(x.size):
        y[i] = (x[i] - mean) * factor


@kernel("mvn_f32")
def mvn_f32(args, task_id, task_dim):
    """y[r, :] = (x[r, :] - mean) / (sqrt(var) + eps), or without the division; y may be x."""
    rows, columns, divide, eps = word(args, 2), word(args, 3), word(args, 4), real(args, 5)
    x, y = f32_at(word(args, 0), rows * columns), f32_at(word(args, 1), rows * columns)
    for r in range(rows * task_id // task_dim, rows * (task_id + 1) // task_dim):
        first, last = r * columns, (r + 1) * columns
        total = 0.0
        for at in range(first, last, _BLOCK):
            total += _block_sum(x[at:min(at + _BLOCK, last)])
        mean = np.float32(total / columns)
        factor = np.float32(1)
        if divide != 0:
            squares = 0.0
            for at in range(first, last, _BLOCK):
                squares += _block_squares(x[at:min(at + _BLOCK, last)], mean)
            factor = np.float32(1.0 / (np.sqrt(squares / columns) + eps))
        _affine(x[first:last], y[first:last], mean, factor)

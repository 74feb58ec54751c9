"""Scatter by recorded positions."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@kernel("clear_f32")
def clear_f32(args, task_id, task_dim):
    """y = 0 over n elements."""
    n = word(args, 1)
    y = f32_at(word(args, 0), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = np.float32(0)


@kernel("upsample_mask_f32", exact=True)
def upsample_mask_f32(args, task_id, task_dim):
    """y[i, mask[i, j, k], k] = x[i, j, k] for x (n, ins, c) and a cleared y (n, outs, c); tasks take bands of n, or of c if n is small."""
    n, ins, outs, c = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    x, mask, y = f32_at(word(args, 0), n * ins * c), f32_at(word(args, 1), n * ins * c), f32_at(word(args, 2), n * outs * c)
    first, last, c0, c1 = n * task_id // task_dim, n * (task_id + 1) // task_dim, 0, c
    if n < task_dim:
        first, last, c0, c1 = 0, n, c * task_id // task_dim, c * (task_id + 1) // task_dim
    limit = np.float32(outs)
    for i in range(first, last):
        target = y[i * outs * c + c0:]
        for j in range(ins):
            at = (i * ins + j) * c + c0
            values, positions = x[at:], mask[at:]
            for k in range(c1 - c0):
                position = positions[k]
                if position >= np.float32(0) and position < limit:
                    target[np.uint64(np.int64(position) * c + k)] = values[k]

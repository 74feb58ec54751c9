"""Scatter by recorded positions."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@kernel("upsample_mask_f32", exact=True)
def upsample_mask_f32(args, task_id, task_dim):
    """y (n, outs, c) = 0, then y[i, mask[i, j, k], k] = x[i, j, k] for x (n, ins, c); tasks take bands of n, or of c if n is 1."""
    n, ins, outs, c = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    x, mask, y = f32_at(word(args, 0), n * ins * c), f32_at(word(args, 1), n * ins * c), f32_at(word(args, 2), n * outs * c)
    first, last, c0, c1 = n * task_id // task_dim, n * (task_id + 1) // task_dim, 0, c
    if n < task_dim:
        first, last, c0, c1 = 0, n, c * task_id // task_dim, c * (task_id + 1) // task_dim
    for i in range(first, last):
        base = i * outs * c
        for j in range(outs):
            for k in range(c0, c1):
                y[base + j * c + k] = np.float32(0)
        for j in range(ins):
            at = (i * ins + j) * c
            for k in range(c0, c1):
                position = mask[at + k]
                if position >= np.float32(0) and position < np.float32(outs):
                    y[base + np.int64(position) * c + k] = x[at + k]

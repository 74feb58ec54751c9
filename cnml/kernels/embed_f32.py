"""Rows of a table."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@kernel("embed_f32")
def embed_f32(args, task_id, task_dim):
    """y[i, :] = table[int(x[i]), :] + bias, NaN for an index outside the table; tasks take bands of i."""
    m, k, n = word(args, 4), word(args, 5), word(args, 6)
    x, table, y = f32_at(word(args, 0), m), f32_at(word(args, 1), k * n), f32_at(word(args, 3), m * n)
    bias = f32_at(word(args, 2), n if word(args, 2) != 0 else 0)
    for i in range(m * task_id // task_dim, m * (task_id + 1) // task_dim):
        # -0.5 is truncated to 0; the comparison is false for NaN
        if x[i] > np.float32(-1) and x[i] < np.float32(k):
            row = np.int64(x[i])
            for j in range(n):
                y[i * n + j] = table[row * n + j]
        else:
            for j in range(n):
                y[i * n + j] = np.float32(np.nan)
        for j in range(bias.size):
            y[i * n + j] += bias[j]

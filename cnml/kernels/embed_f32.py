"""Rows of a table."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit()
def _copy(x, y):
    for j in range(y.size):
        y[j] = x[j]


@jit()
def _add(x, bias, y):
    for j in range(y.size):
        y[j] = x[j] + bias[j]


@kernel("embed_f32")
def embed_f32(args, task_id, task_dim):
    """y[i, :] = table[int(x[i]), :] + bias, NaN for an index outside the table; tasks take bands of i."""
    m, k, n = word(args, 4), word(args, 5), word(args, 6)
    x, table, y = f32_at(word(args, 0), m), f32_at(word(args, 1), k * n), f32_at(word(args, 3), m * n)
    bias = f32_at(word(args, 2), n if word(args, 2) != 0 else 0)
    for i in range(m * task_id // task_dim, m * (task_id + 1) // task_dim):
        out = y[i * n:(i + 1) * n]
        # -0.5 is truncated to 0; the comparison is false for NaN
        if x[i] > np.float32(-1) and x[i] < np.float32(k):
            at = np.int64(x[i]) * n
            if bias.size > 0:
                _add(table[at:at + n], bias, out)
            else:
                _copy(table[at:at + n], out)
        else:
            out[:] = np.float32(np.nan)

"""Element-wise functions of two arrays; arguments a, b, y, n. y may be a or b."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word


@kernel("eltwise_sum_f32")
def eltwise_sum_f32(args, task_id, task_dim):
    """y = p * a + q * b over n elements."""
    n, p, q = word(args, 3), np.float32(real(args, 4)), np.float32(real(args, 5))
    a, b, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n), f32_at(word(args, 2), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = p * a[i] + q * b[i]


@kernel("eltwise_prod_f32")
def eltwise_prod_f32(args, task_id, task_dim):
    """y = a * b over n elements."""
    n = word(args, 3)
    a, b, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n), f32_at(word(args, 2), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = a[i] * b[i]


@kernel("eltwise_max_f32")
def eltwise_max_f32(args, task_id, task_dim):
    """y = a > b ? a : b over n elements."""
    n = word(args, 3)
    a, b, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n), f32_at(word(args, 2), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = a[i] if a[i] > b[i] else b[i]

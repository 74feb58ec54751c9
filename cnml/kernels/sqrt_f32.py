"""Square root."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@kernel("sqrt_f32", exact=True)
def sqrt_f32(args, task_id, task_dim):
    """y = sqrt(x) over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = np.sqrt(x[i])

"""MobileNet v3's activation."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@kernel("hard_swish_f32")
def hard_swish_f32(args, task_id, task_dim):
    """y = x * min(max(x + 3, 0), 6) / 6 over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    zero, three, six, sixth = np.float32(0), np.float32(3), np.float32(6), np.float32(1 / 6)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        gate = x[i] + three
        gate = gate if gate > zero else zero
        gate = gate if gate < six else six
        y[i] = x[i] * gate * sixth

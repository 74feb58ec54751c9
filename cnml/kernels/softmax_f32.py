"""Softmax along one axis."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit(exact=True)
def _softmax_strided(x, y, n, stride):
    m = x[0]
    for i in range(1, n):
        if x[i * stride] > m:
            m = x[i * stride]
    total = np.float32(0)
    for i in range(n):
        e = np.exp(x[i * stride] - m)
        y[i * stride] = e
        total += e
    for i in range(n):
        y[i * stride] = y[i * stride] / total


@kernel("softmax_f32")
def softmax_f32(args, task_id, task_dim):
    """y = softmax(x) over the middle of (outer, n, inner); tasks take bands of outer * inner."""
    outer, n, inner = word(args, 2), word(args, 3), word(args, 4)
    size = outer * n * inner
    x, y = f32_at(word(args, 0), size), f32_at(word(args, 1), size)
    lines = outer * inner
    for line in range(lines * task_id // task_dim, lines * (task_id + 1) // task_dim):
        at = (line // inner) * n * inner + line % inner
        _softmax_strided(x[at:], y[at:], n, inner)

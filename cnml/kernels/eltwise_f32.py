"""Element-wise functions of two arrays; arguments a, b, y, n. y may be a or b, and then is passed in its place (see `aliasing`)."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.activation_f32 import activated, activation
from cnml.kernels.aliasing import in_place
from cnml.kernels.argblock import f32_at, real, word


@jit(forceinline=True)
def band(args, task_id, task_dim):
    """A task's part of a, b and y."""
    n = word(args, 3)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    offset, size = 4 * first, last - first
    return f32_at(word(args, 0) + offset, size), f32_at(word(args, 1) + offset, size), f32_at(word(args, 2) + offset, size)


@jit(inline="always")
def _sum(a, b, y, p, q, slope, low, high, clips):
    for i in range(y.size):
        y[i] = activated(p * a[i] + q * b[i], slope, low, high, clips)


@kernel("eltwise_sum_f32")
def eltwise_sum_f32(args, task_id, task_dim):
    """y = activation(p * a + q * b) over n elements."""
    slope, low, high, clips = activation(args, 6)
    a, b, y = band(args, task_id, task_dim)
    p, q = np.float32(real(args, 4)), np.float32(real(args, 5))
    if in_place(args, 0, 2):
        _sum(y, b, y, p, q, slope, low, high, clips)
    elif in_place(args, 1, 2):
        _sum(a, y, y, p, q, slope, low, high, clips)
    else:
        _sum(a, b, y, p, q, slope, low, high, clips)


@jit(inline="always")
def _prod(a, b, y):
    for i in range(y.size):
        y[i] = a[i] * b[i]


@kernel("eltwise_prod_f32")
def eltwise_prod_f32(args, task_id, task_dim):
    """y = a * b over n elements."""
    a, b, y = band(args, task_id, task_dim)
    if in_place(args, 0, 2):
        _prod(y, b, y)
    elif in_place(args, 1, 2):
        _prod(a, y, y)
    else:
        _prod(a, b, y)


@jit(inline="always")
def _max(a, b, y):
    for i in range(y.size):
        y[i] = a[i] if a[i] > b[i] else b[i]


@kernel("eltwise_max_f32")
def eltwise_max_f32(args, task_id, task_dim):
    """y = a > b ? a : b over n elements."""
    a, b, y = band(args, task_id, task_dim)
    if in_place(args, 0, 2):
        _max(y, b, y)
    elif in_place(args, 1, 2):
        _max(a, y, y)
    else:
        _max(a, b, y)

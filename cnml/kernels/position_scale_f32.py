"""One factor for each position of an image."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit()
def _pixel(x, y, factor, c):
    for k in range(c):
        y[k] = x[k] * factor


@jit()
def _plane(x, y, factors, n):
    for i in range(n):
        y[i] = x[i] * factors[i]


@kernel("position_scale_f32")
def position_scale_f32(args, task_id, task_dim):
    """y = x * factors[position]; tasks take bands of pixels (NHWC) or of channel planes."""
    n, c, inner, nhwc = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    x, y, factors = f32_at(word(args, 0), n * c * inner), f32_at(word(args, 1), n * c * inner), f32_at(word(args, 2), inner)
    if nhwc:
        for pixel in range(n * inner * task_id // task_dim, n * inner * (task_id + 1) // task_dim):
            _pixel(x[pixel * c:], y[pixel * c:], factors[pixel % inner], c)
    else:
        for line in range(n * c * task_id // task_dim, n * c * (task_id + 1) // task_dim):
            _plane(x[line * inner:], y[line * inner:], factors, inner)

"""y = scale[c] * x + shift[c]."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit()
def _channels(x, y, scale, shift, c):
    for k in range(c):
        y[k] = scale[k] * x[k] + shift[k]


@jit()
def _plane(x, y, scale, shift, n):
    for i in range(n):
        y[i] = scale * x[i] + shift


@kernel("channel_affine_f32")
def channel_affine_f32(args, task_id, task_dim):
    """The table holds c scales, then c shifts; tasks take bands of pixels (NHWC) or of channel planes."""
    n, c, inner, nhwc = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    x, y, table = f32_at(word(args, 0), n * c * inner), f32_at(word(args, 1), n * c * inner), f32_at(word(args, 2), 2 * c)
    if nhwc:
        for pixel in range(n * inner * task_id // task_dim, n * inner * (task_id + 1) // task_dim):
            _channels(x[pixel * c:], y[pixel * c:], table, table[c:], c)
    else:
        for line in range(n * c * task_id // task_dim, n * c * (task_id + 1) // task_dim):
            _plane(x[line * inner:], y[line * inner:], table[line % c], table[c + line % c], inner)

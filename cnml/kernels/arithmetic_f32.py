"""Sums, differences and products of two tensors."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit()
def _vectors(a, b, y, first, last, code):
    if code == 0:
        for i in range(first, last):
            y[i] = a[i] + b[i]
    elif code == 1:
        for i in range(first, last):
            y[i] = a[i] - b[i]
    else:
        for i in range(first, last):
            y[i] = a[i] * b[i]


@jit()
def _with_scalar(a, b, y, n, code):
    if code == 0:
        for i in range(n):
            y[i] = a[i] + b
    elif code == 1:
        for i in range(n):
            y[i] = a[i] - b
    else:
        for i in range(n):
            y[i] = a[i] * b


@kernel("arithmetic_f32")
def arithmetic_f32(args, task_id, task_dim):
    """y = a + b (code 0), a - b (1), a * b (2) over n elements."""
    n, code = word(args, 3), word(args, 4)
    a, b, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n), f32_at(word(args, 2), n)
    _vectors(a, b, y, n * task_id // task_dim, n * (task_id + 1) // task_dim, code)


@kernel("channel_arithmetic_f32")
def channel_arithmetic_f32(args, task_id, task_dim):
    """y = x with v of its channel (v_step elements between the images of v); tasks take bands of pixels (NHWC) or of channel planes."""
    n, c, inner, v_step, code, nhwc = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), word(args, 8)
    size = n * c * inner
    x, v, y = f32_at(word(args, 0), size), f32_at(word(args, 1), n * c), f32_at(word(args, 2), size)
    if nhwc:
        for pixel in range(n * inner * task_id // task_dim, n * inner * (task_id + 1) // task_dim):
            at = pixel * c
            _vectors(x[at:], v[pixel // inner * v_step:], y[at:], 0, c, code)
    else:
        for line in range(n * c * task_id // task_dim, n * c * (task_id + 1) // task_dim):
            at = line * inner
            _with_scalar(x[at:], v[line // c * v_step + line % c], y[at:], inner, code)


@jit()
def _axpy_channels(a, x, y, out, c):
    for k in range(c):
        out[k] = a[k] * x[k] + y[k]


@jit()
def _axpy_plane(a, x, y, out, n):
    for i in range(n):
        out[i] = a * x[i] + y[i]


@kernel("axpy_f32")
def axpy_f32(args, task_id, task_dim):
    """out = a[n, c] * x + y; tasks take bands of pixels (NHWC) or of channel planes."""
    n, c, inner, nhwc = word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    size = n * c * inner
    a, x, y, out = f32_at(word(args, 0), n * c), f32_at(word(args, 1), size), f32_at(word(args, 2), size), f32_at(word(args, 3), size)
    if nhwc:
        for pixel in range(n * inner * task_id // task_dim, n * inner * (task_id + 1) // task_dim):
            at = pixel * c
            _axpy_channels(a[pixel // inner * c:], x[at:], y[at:], out[at:], c)
    else:
        for line in range(n * c * task_id // task_dim, n * c * (task_id + 1) // task_dim):
            at = line * inner
            _axpy_plane(a[line], x[at:], y[at:], out[at:], inner)

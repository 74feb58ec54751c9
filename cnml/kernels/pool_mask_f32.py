"""Maximum pooling that records where each maximum was."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word

LOWEST = -np.finfo(np.float32).max


@jit(exact=True)
def _start(y, mask, c):
    for k in range(c):
        y[k] = LOWEST
        mask[k] = np.float32(-1)


@jit(exact=True)
def _greater(x, y, mask, at, c):
    for k in range(c):
        better = x[k] > y[k]
        y[k] = x[k] if better else y[k]
        mask[k] = at if better else mask[k]


@kernel("pool_mask_f32", exact=True)
def pool_mask_f32(args, task_id, task_dim):
    """y = the first greatest element of every window, mask = its h * w_in + w, for x (n, h, w, c); tasks take bands of output rows."""
    n, h, w, c, oh, ow = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), word(args, 8)
    kernel_h, kernel_w, stride_h = word(args, 9), word(args, 10), word(args, 11)
    stride_w, pad_h, pad_w = word(args, 12), word(args, 13), word(args, 14)
    x = f32_at(word(args, 0), n * h * w * c)
    y, mask = f32_at(word(args, 1), n * oh * ow * c), f32_at(word(args, 2), n * oh * ow * c)
    for row in range(n * oh * task_id // task_dim, n * oh * (task_id + 1) // task_dim):
        start_h = row % oh * stride_h - pad_h
        image = x[row // oh * h * w * c:]
        for j in range(ow):
            start_w = j * stride_w - pad_w
            at = (row * ow + j) * c
            _start(y[at:], mask[at:], c)
            for i in range(max(start_h, 0), min(start_h + kernel_h, h)):
                for k in range(max(start_w, 0), min(start_w + kernel_w, w)):
                    _greater(image[(i * w + k) * c:], y[at:], mask[at:], np.float32(i * w + k), c)

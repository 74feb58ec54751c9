"""L2 normalization: over whole images, or over the channels of each position."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word

#: positions of a plain tensor that are summed together, so that the inner loop runs along memory
BLOCK = 256


@jit()
def _squares(x, n):
    total = np.float32(0)
    for i in range(n):
        total += x[i] * x[i]
    return total


@jit()
def _scaled(x, y, factor, scale, step, c):
    if step == 0:
        factor *= scale[0]
        for k in range(c):
            y[k] = x[k] * factor
    else:
        for k in range(c):
            y[k] = x[k] * factor * scale[k]


@jit()
def _plane(x, y, factor, n):
    for i in range(n):
        y[i] = x[i] * factor


@kernel("normalize_image_f32")
def normalize_image_f32(args, task_id, task_dim):
    """Every task sums the whole image (in float64 blocks) and writes its band of it."""
    n, c, inner, step, nhwc, eps = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), real(args, 8)
    x, y, scale = f32_at(word(args, 0), n * c * inner), f32_at(word(args, 1), n * c * inner), f32_at(word(args, 2), c if step else 1)
    size = c * inner
    for image in range(n):
        total = 0.0
        for start in range(0, size, 4096):
            total += np.float64(_squares(x[image * size + start:], min(4096, size - start)))
        factor = np.float32(1.0 / np.sqrt(total + eps))
        if nhwc:
            for pixel in range(inner * task_id // task_dim, inner * (task_id + 1) // task_dim):
                at = image * size + pixel * c
                _scaled(x[at:], y[at:], factor, scale, step, c)
        else:
            for k in range(c * task_id // task_dim, c * (task_id + 1) // task_dim):
                at = image * size + k * inner
                _plane(x[at:], y[at:], factor * scale[k * step], inner)


@jit()
def _block(x, y, scale, step, c, inner, first, last, eps, sums):
    for i in range(last - first):
        sums[i] = np.float32(0)
    for k in range(c):
        row = x[k * inner + first:]
        for i in range(last - first):
            sums[i] += row[i] * row[i]
    for i in range(last - first):
        sums[i] = np.float32(1) / np.sqrt(sums[i] + eps)
    for k in range(c):
        row, out, factor = x[k * inner + first:], y[k * inner + first:], scale[k * step]
        for i in range(last - first):
            out[i] = row[i] * sums[i] * factor


@kernel("normalize_position_f32")
def normalize_position_f32(args, task_id, task_dim):
    """Tasks take bands of positions; in a plain tensor the sums of a block of positions wait in the scratch block."""
    n, c, inner, step, nhwc, eps = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), np.float32(real(args, 8))
    x, y, scale = f32_at(word(args, 0), n * c * inner), f32_at(word(args, 1), n * c * inner), f32_at(word(args, 2), c if step else 1)
    if nhwc:
        for pixel in range(n * inner * task_id // task_dim, n * inner * (task_id + 1) // task_dim):
            at = pixel * c
            _scaled(x[at:], y[at:], np.float32(1) / np.sqrt(_squares(x[at:], c) + eps), scale, step, c)
        return
    sums = f32_at(word(args, 9) + word(args, 10) * task_id, BLOCK)
    blocks = (inner + BLOCK - 1) // BLOCK
    for b in range(n * blocks * task_id // task_dim, n * blocks * (task_id + 1) // task_dim):
        first = b % blocks * BLOCK
        at = b // blocks * c * inner
        _block(x[at:], y[at:], scale, step, c, inner, first, min(first + BLOCK, inner), eps, sums)

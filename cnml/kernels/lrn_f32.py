"""Local response normalisation with the channels innermost."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.elementary_f32 import exp_f32, log_f32

ZERO, ONE = np.float32(0), np.float32(1)


@jit
def _apply(x, sums, y, n, alpha, beta, k):
    """y = x * (k + alpha * sums) ** -beta."""
    if beta == np.float32(0.75):
        for i in range(n):
            root = np.sqrt(k + alpha * sums[i])
            y[i] = x[i] / (root * np.sqrt(root))
    elif beta == np.float32(0.5):
        for i in range(n):
            y[i] = x[i] / np.sqrt(k + alpha * sums[i])
    elif beta == ONE:
        for i in range(n):
            y[i] = x[i] / (k + alpha * sums[i])
    else:
        for i in range(n):
            y[i] = x[i] * exp_f32(-beta * log_f32(k + alpha * sums[i]))


@jit
def _window_sums(squares, sums, n, size):
    """sums[i] = squares[i] + … + squares[i + size - 1]."""
    if size == 5:
        for i in range(n):
            sums[i] = squares[i] + squares[i + 1] + squares[i + 2] + squares[i + 3] + squares[i + 4]
    elif size == 3:
        for i in range(n):
            sums[i] = squares[i] + squares[i + 1] + squares[i + 2]
    else:
        for i in range(n):
            sums[i] = squares[i]
        for j in range(1, size):
            for i in range(n):
                sums[i] += squares[i + j]


@jit
def _squares(x, y, n):
    for i in range(n):
        y[i] = x[i] * x[i]


@jit
def _add_squares(x, y, n):
    for i in range(n):
        y[i] += x[i] * x[i]


@kernel("lrn_across_f32_nhwc")
def lrn_across_f32_nhwc(args, task_id, task_dim):
    """Windows over the channels; arguments x, y, pixels, channels, size, alpha / size, beta, k, scratch for 2 * channels + size floats a task."""
    pixels, c, size = word(args, 2), word(args, 3), word(args, 4)
    alpha, beta, k = np.float32(real(args, 5)), np.float32(real(args, 6)), np.float32(real(args, 7))
    half = size // 2
    work = f32_at(word(args, 8) + word(args, 9) * task_id, 2 * c + 2 * half)
    squares, sums = work[:c + 2 * half], work[c + 2 * half:]
    x, y = f32_at(word(args, 0), pixels * c), f32_at(word(args, 1), pixels * c)
    for i in range(half):
        squares[i] = ZERO
        squares[half + c + i] = ZERO
    for p in range(pixels * task_id // task_dim, pixels * (task_id + 1) // task_dim):
        _squares(x[p * c:], squares[half:], c)
        _window_sums(squares, sums, c, size)
        _apply(x[p * c:], sums, y[p * c:], c, alpha, beta, k)


@kernel("lrn_within_f32_nhwc")
def lrn_within_f32_nhwc(args, task_id, task_dim):
    """Windows over the image; arguments x, y, n, h, w, channels, size, alpha / size ** 2, beta, scratch for `channels` floats a task. Tasks take bands of the rows."""
    n, h, w, c, size = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    alpha, beta = np.float32(real(args, 7)), np.float32(real(args, 8))
    half, count = size // 2, n * h * w * c
    sums = f32_at(word(args, 9) + word(args, 10) * task_id, c)
    x, y = f32_at(word(args, 0), count), f32_at(word(args, 1), count)
    for row in range(n * h * task_id // task_dim, n * h * (task_id + 1) // task_dim):
        image, i = row // h * h, row % h
        for j in range(w):
            sums[:] = ZERO
            for a in range(max(i - half, 0), min(i + half + 1, h)):
                for b in range(max(j - half, 0), min(j + half + 1, w)):
                    _add_squares(x[((image + a) * w + b) * c:], sums, c)
            at = (row * w + j) * c
            _apply(x[at:], sums, y[at:], c, alpha, beta, ONE)

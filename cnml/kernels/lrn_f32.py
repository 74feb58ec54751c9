"""Local response normalisation with the channels innermost."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.elementary_f32 import exp_f32, log_f32

ZERO, HALF, QUARTERS, ONE, LARGEST = np.float32(0), np.float32(0.5), np.float32(0.75), np.float32(1), np.finfo(np.float32).max
#: pixels whose squares are kept at a time
PIXELS = 8


@jit(inline="always")
def _three_quarters(s):
    """s ** -0.75: q * q / sqrt(q) of q = 1 / sqrt(s), because CPUs estimate reciprocal roots faster than they divide."""
    q = ONE / np.sqrt(s)
    p = q * q * (ONE / np.sqrt(q))
    # the refinement of an estimate makes a NaN of infinity
    return ZERO if s > LARGEST else p


@jit
def _apply(x, sums, y, n, alpha, beta, k):
    """y = x * (k + alpha * sums) ** -beta."""
    if beta == QUARTERS:
        for i in range(n):
            y[i] = x[i] * _three_quarters(k + alpha * sums[i])
    elif beta == HALF:
        for i in range(n):
            y[i] = x[i] / np.sqrt(k + alpha * sums[i])
    elif beta == ONE:
        for i in range(n):
            y[i] = x[i] / (k + alpha * sums[i])
    else:
        for i in range(n):
            y[i] = x[i] * exp_f32(-beta * log_f32(k + alpha * sums[i]))


@jit
def _across_five(x, squares, y, n, alpha, k):
    """The window and the exponent that AlexNet and GoogLeNet have, in one pass."""
    for i in range(n):
        total = squares[i] + squares[i + 1] + squares[i + 2] + squares[i + 3] + squares[i + 4]
        y[i] = x[i] * _three_quarters(k + alpha * total)


@jit
def _window_sums(squares, sums, n, size):
    """sums[i] = squares[i] + … + squares[i + size - 1]."""
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
    """Windows over the channels; arguments x, y, pixels, channels, size, alpha / size, beta, k, scratch for PIXELS * (channels + size) + channels
    floats a task.

    Squares of several pixels are computed before they are read, since reading across two vectors that were just stored stalls.
    """
    pixels, c, size = word(args, 2), word(args, 3), word(args, 4)
    alpha, beta, k = np.float32(real(args, 5)), np.float32(real(args, 6)), np.float32(real(args, 7))
    half, step = size // 2, c + size
    work = f32_at(word(args, 8) + word(args, 9) * task_id, PIXELS * step + c)
    squares, sums = work[:PIXELS * step], work[PIXELS * step:]
    x, y = f32_at(word(args, 0), pixels * c), f32_at(word(args, 1), pixels * c)
    squares[:] = ZERO
    last = pixels * (task_id + 1) // task_dim
    for p0 in range(pixels * task_id // task_dim, last, PIXELS):
        p1 = min(p0 + PIXELS, last)
        for p in range(p0, p1):
            _squares(x[p * c:], squares[(p - p0) * step + half:], c)
        for p in range(p0, p1):
            if size == 5 and beta == QUARTERS:
                _across_five(x[p * c:], squares[(p - p0) * step:], y[p * c:], c, alpha, k)
            else:
                _window_sums(squares[(p - p0) * step:], sums, c, size)
                _apply(x[p * c:], sums, y[p * c:], c, alpha, beta, k)


@kernel("lrn_within_f32_nhwc")
def lrn_within_f32_nhwc(args, task_id, task_dim):
    """Windows over the image; arguments x, y, n, h, w, channels, size, alpha / size ** 2, beta, scratch for `channels` floats a task. Tasks take
    bands of the rows."""
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

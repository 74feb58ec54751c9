"""Local response normalisation with the channels innermost.

Across channels, arguments x, y, pixels, channels, size, alpha / size, beta, k, scratch for PIXELS * (channels + size) floats a task; within
channels x, y, n, h, w, channels, size, alpha / size ** 2, beta. The usual sizes have kernels of their own (`cnml.kernels.lrn_plan`).
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.elementary_f32 import exp_f32, log_f32
from cnml.kernels.lrn_plan import ACROSS, PIXELS, WITHIN, across_kernel, within_kernel
from cnml.ukernels.lrn_f32 import LANES, lrn_pixels, lrn_three_quarters
from cnml.ukernels.window_f32 import SQUARES, window, window_line

ZERO, HALF, QUARTERS, ONE = np.float32(0), np.float32(0.5), np.float32(0.75), np.float32(1)


@jit
def _apply(x_address, y_address, n, alpha, beta, k):
    """y = x * (k + alpha * y) ** -beta."""
    if beta == QUARTERS:
        lrn_three_quarters(x_address, y_address, n, alpha, k)
        return
    x, y = f32_at(x_address, n), f32_at(y_address, n)
    if beta == HALF:
        for i in range(n):
            y[i] = x[i] / np.sqrt(k + alpha * y[i])
    elif beta == ONE:
        for i in range(n):
            y[i] = x[i] / (k + alpha * y[i])
    else:
        for i in range(n):
            y[i] = x[i] * exp_f32(-beta * log_f32(k + alpha * y[i]))


def _across(size, fused):
    def lrn_across_f32(args, task_id, task_dim):
        """Windows of one size over the channels; tasks take bands of pixels."""
        pixels, c = word(args, 2), word(args, 3)
        alpha, beta, k = np.float32(real(args, 5)), np.float32(real(args, 6)), np.float32(real(args, 7))
        first, last = pixels * task_id // task_dim, pixels * (task_id + 1) // task_dim
        step = PIXELS if fused == 0 else max(last - first, 1)  # a second pass finds the first one's results in the cache
        for p in range(first, last, step):
            x, y, some = word(args, 0) + 4 * p * c, word(args, 1) + 4 * p * c, min(step, last - p)
            lrn_pixels(size, fused, x, y, some, c, alpha, k)
            if fused == 0:
                _apply(x, y, some * c, ONE, beta, ZERO)

    return lrn_across_f32


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


@kernel("lrn_across_f32_nhwc")
def lrn_across_f32_nhwc(args, task_id, task_dim):
    """Windows of any size over the channels.

    Squares of several pixels are computed before they are read, since reading across two vectors that were just stored stalls.
    """
    pixels, c, size = word(args, 2), word(args, 3), word(args, 4)
    alpha, beta, k = np.float32(real(args, 5)), np.float32(real(args, 6)), np.float32(real(args, 7))
    half, step = size // 2, c + size
    squares = f32_at(word(args, 8) + word(args, 9) * task_id, PIXELS * step)
    x, y = f32_at(word(args, 0), pixels * c), f32_at(word(args, 1), pixels * c)
    squares[:] = ZERO
    last = pixels * (task_id + 1) // task_dim
    for p0 in range(pixels * task_id // task_dim, last, PIXELS):
        p1 = min(p0 + PIXELS, last)
        for p in range(p0, p1):
            _squares(x[p * c:], squares[(p - p0) * step + half:], c)
        for p in range(p0, p1):
            _window_sums(squares[(p - p0) * step:], y[p * c:], c, size)
        _apply(word(args, 0) + 4 * p0 * c, word(args, 1) + 4 * p0 * c, (p1 - p0) * c, alpha, beta, k)


@kernel("lrn_within_f32_nhwc")
def lrn_within_f32_nhwc(args, task_id, task_dim):
    """Windows of any size over the image; tasks take bands of the rows."""
    n, h, w, c, half = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6) // 2
    alpha, beta, pixel = np.float32(real(args, 7)), np.float32(real(args, 8)), 4 * word(args, 5)
    for row in range(n * h * task_id // task_dim, n * h * (task_id + 1) // task_dim):
        h0, h1 = max(row % h - half, 0), min(row % h + half + 1, h)
        x, y = word(args, 0) + (row - row % h + h0) * w * pixel, word(args, 1) + row * w * pixel
        for j in range(w):
            w0, w1 = max(j - half, 0), min(j + half + 1, w)
            window(SQUARES, (x + w0 * pixel, y + j * pixel, c, w * pixel, pixel, pixel), h1 - h0, w1 - w0, ONE)
        _apply(word(args, 0) + row * w * pixel, y, w * c, alpha, beta, ONE)


def _within(size, lanes):
    half, fewer = size // 2, size - 1

    def lrn_within_lines_f32(args, task_id, task_dim):
        """Windows of one size over the image: whole ones in lines, those at the border one by one."""
        n, h, w, c = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
        alpha, beta, pixel = np.float32(real(args, 7)), np.float32(real(args, 8)), 4 * word(args, 5)
        for row in range(n * h * task_id // task_dim, n * h * (task_id + 1) // task_dim):
            h0, h1 = max(row % h - half, 0), min(row % h + half + 1, h)
            x, y = word(args, 0) + (row - row % h + h0) * w * pixel, word(args, 1) + row * w * pixel
            inside = 0
            if c >= lanes and h1 - h0 >= fewer:
                inside = max(w - 2 * half, 0)
                line = (x, y + half * pixel, c, w * pixel, pixel, pixel)
                if h1 - h0 == size:
                    window_line(SQUARES, size, size, 1, line, inside, ONE)
                else:
                    window_line(SQUARES, fewer, size, 1, line, inside, ONE)
            for i in range(w - inside):
                j = i if i < half else i + inside
                w0, w1 = max(j - half, 0), min(j + half + 1, w)
                window(SQUARES, (x + w0 * pixel, y + j * pixel, c, w * pixel, pixel, pixel), h1 - h0, w1 - w0, ONE)
            _apply(word(args, 0) + row * w * pixel, y, w * c, alpha, beta, ONE)

    return lrn_within_lines_f32


for _size in ACROSS:
    if _size // 2 <= LANES:
        kernel(across_kernel(_size, 0.75))(_across(_size, 1))
        kernel(across_kernel(_size, 0.0))(_across(_size, 0))
for _size in WITHIN:
    kernel(within_kernel(_size))(_within(_size, LANES))

"""Softmax over the middle of (outer, n, inner)."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word
from cnml.kernels.elementary_f32 import exp_f32

ZERO, ONE = np.float32(0), np.float32(1)
#: columns that are worked on side by side where inner > 1
COLUMNS = 256
#: elements of consecutive short lines whose exponentials are computed in one loop
BATCH = 1024


@jit
def _greatest(x, n):
    """The maximum; four running ones, because each waits for its own last step only."""
    a = b = c = d = x[0]
    for i in range(0, n - 3, 4):
        a = x[i] if x[i] > a else a
        b = x[i + 1] if x[i + 1] > b else b
        c = x[i + 2] if x[i + 2] > c else c
        d = x[i + 3] if x[i + 3] > d else d
    for i in range(n - n % 4, n):
        a = x[i] if x[i] > a else a
    a, c = (a if a > b else b), (c if c > d else d)
    return a if a > c else c


@jit
def _subtract(x, m, y, n):
    for i in range(n):
        y[i] = x[i] - m


@jit
def _exponentials(y, n):
    for i in range(n):
        y[i] = exp_f32(y[i])


@jit
def _normalize(y, n):
    total = ZERO
    for i in range(n):
        total += y[i]
    scale = ONE / total
    for i in range(n):
        y[i] = y[i] * scale


@jit
def _lines(x, y, n, first, last):
    """Lines first .. last of n contiguous elements."""
    batch = max(1, BATCH // n)
    for l0 in range(first, last, batch):
        l1 = min(l0 + batch, last)
        for line in range(l0, l1):
            _subtract(x[line * n:], _greatest(x[line * n:], n), y[line * n:], n)
        _exponentials(y[l0 * n:], (l1 - l0) * n)
        for line in range(l0, l1):
            _normalize(y[line * n:], n)


@jit
def _copy(x, m, n):
    for j in range(n):
        m[j] = x[j]


@jit
def _raise(x, m, n):
    for j in range(n):
        m[j] = x[j] if x[j] > m[j] else m[j]


@jit
def _accumulate(x, m, y, total, n):
    for j in range(n):
        e = exp_f32(x[j] - m[j])
        y[j] = e
        total[j] += e


@jit
def _invert(total, n):
    for j in range(n):
        total[j] = ONE / total[j]


@jit
def _scale(y, factor, n):
    for j in range(n):
        y[j] *= factor[j]


@jit
def _columns(x, y, n, inner, width, m, total):
    """`width` neighbouring columns of n elements, `inner` apart."""
    _copy(x, m, width)
    for i in range(1, n):
        _raise(x[i * inner:], m, width)
    for j in range(width):
        total[j] = ZERO
    for i in range(n):
        _accumulate(x[i * inner:], m, y[i * inner:], total, width)
    _invert(total, width)
    for i in range(n):
        _scale(y[i * inner:], total, width)


@kernel("softmax_f32")
def softmax_f32(args, task_id, task_dim):
    """y = softmax(x) over the middle of (outer, n, inner); arguments x, y, outer, n, inner, scratch for 2 * COLUMNS floats a task. Tasks take bands
    of the lines, or blocks of columns."""
    outer, n, inner = word(args, 2), word(args, 3), word(args, 4)
    size = outer * n * inner
    x, y = f32_at(word(args, 0), size), f32_at(word(args, 1), size)
    if inner == 1:
        _lines(x, y, n, outer * task_id // task_dim, outer * (task_id + 1) // task_dim)
        return
    work = f32_at(word(args, 5) + word(args, 6) * task_id, 2 * COLUMNS)
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for block in range(outer * blocks * task_id // task_dim, outer * blocks * (task_id + 1) // task_dim):
        j = block % blocks * COLUMNS
        at = block // blocks * n * inner + j
        _columns(x[at:], y[at:], n, inner, min(COLUMNS, inner - j), work[:COLUMNS], work[COLUMNS:])

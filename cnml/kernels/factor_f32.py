"""Maps with a factor that spans some axes: x lies as (groups, rows, dim, inner), the factor as (groups, dim); see `cnml.broadcast`. y may be x.

Tasks take bands of the flat array, so any shape is shared evenly.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word

ZERO = np.float32(0)


@jit
def place(i, rows, dim, inner):
    """Of flat element i: its factor's index, and how many elements from it on have the same factor (inner > 1) or consecutive ones (inner 1)."""
    line = i // inner
    d = line % dim
    at = line // (rows * dim) * dim + d
    if inner == 1:
        return at, dim - d
    return at, (line + 1) * inner - i


@jit
def _affine_same(x, s, b, y, n):
    for i in range(n):
        y[i] = x[i] * s + b


@jit
def _affine_run(x, s, b, y, n):
    for i in range(n):
        y[i] = x[i] * s[i] + b[i]


@kernel("factor_affine_f32")
def factor_affine_f32(args, task_id, task_dim):
    """y = x * s + b; arguments x, s, b, y, groups, rows, dim, inner."""
    groups, rows, dim, inner = word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    n = groups * rows * dim * inner
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 3), n)
    s, b = f32_at(word(args, 1), groups * dim), f32_at(word(args, 2), groups * dim)
    i, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        if inner == 1:
            _affine_run(x[i:], s[at:], b[at:], y[i:], run)
        else:
            _affine_same(x[i:], s[at], b[at], y[i:], run)
        i += run


@jit
def _multiply_same(x, s, y, n):
    for i in range(n):
        y[i] = x[i] * s


@jit
def _multiply_run(x, s, y, n):
    for i in range(n):
        y[i] = x[i] * s[i]


@kernel("factor_multiply_f32")
def factor_multiply_f32(args, task_id, task_dim):
    """y = x * s; arguments x, s, y, groups, rows, dim, inner."""
    groups, rows, dim, inner = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    n = groups * rows * dim * inner
    x, s, y = f32_at(word(args, 0), n), f32_at(word(args, 1), groups * dim), f32_at(word(args, 2), n)
    i, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        if inner == 1:
            _multiply_run(x[i:], s[at:], y[i:], run)
        else:
            _multiply_same(x[i:], s[at], y[i:], run)
        i += run


@jit
def _shift_same(x, b, y, n):
    for i in range(n):
        y[i] = x[i] + b


@jit
def _shift_run(x, b, y, n):
    for i in range(n):
        y[i] = x[i] + b[i]


@kernel("factor_shift_f32")
def factor_shift_f32(args, task_id, task_dim):
    """y = x + b; arguments x, b, y, groups, rows, dim, inner."""
    groups, rows, dim, inner = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    n = groups * rows * dim * inner
    x, b, y = f32_at(word(args, 0), n), f32_at(word(args, 1), groups * dim), f32_at(word(args, 2), n)
    i, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        if inner == 1:
            _shift_run(x[i:], b[at:], y[i:], run)
        else:
            _shift_same(x[i:], b[at], y[i:], run)
        i += run


@jit
def _prelu_same(x, slope, y, n):
    for i in range(n):
        v = x[i]
        y[i] = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)


@jit
def _prelu_run(x, slope, y, n):
    for i in range(n):
        v = x[i]
        y[i] = (ZERO if v < ZERO else v) + slope[i] * (ZERO if v > ZERO else v)


@kernel("factor_prelu_f32")
def factor_prelu_f32(args, task_id, task_dim):
    """y = max(x, 0) + slope * min(x, 0); arguments x, slope, y, groups, rows, dim, inner."""
    groups, rows, dim, inner = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    n = groups * rows * dim * inner
    x, slope, y = f32_at(word(args, 0), n), f32_at(word(args, 1), groups * dim), f32_at(word(args, 2), n)
    i, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        if inner == 1:
            _prelu_run(x[i:], slope[at:], y[i:], run)
        else:
            _prelu_same(x[i:], slope[at], y[i:], run)
        i += run

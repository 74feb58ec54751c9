"""Maps with a factor that spans some axes. y may be x (see `aliasing`).

The array lies as (groups, rows, dim, inner), the factor as (groups, dim); see `cnml.broadcast`. n is the array's size; it may end
within the last row.
Tasks take bands of the flat array, so any shape is shared evenly. The loops get addresses, because two slices of one array are not seen to be the
same.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.activation_f32 import activated, activation
from cnml.kernels.aliasing import in_place
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


@jit(inline="always")
def _affine(x, s, b, y, first, last, rows, dim, inner, slope, low, high, clips):
    i = first
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        x1, y1 = f32_at(x + 4 * i, run), f32_at(y + 4 * i, run)
        if inner == 1:
            s1, b1 = f32_at(s + 4 * at, run), f32_at(b + 4 * at, run)
            for j in range(run):
                v = x1[j]
                y1[j] = activated(v * s1[j] + b1[j], slope, low, high, clips)
        else:
            s0, b0 = f32_at(s + 4 * at, 1)[0], f32_at(b + 4 * at, 1)[0]
            for j in range(run):
                v = x1[j]
                y1[j] = activated(v * s0 + b0, slope, low, high, clips)
        i += run


@kernel("factor_affine_f32")
def factor_affine_f32(args, task_id, task_dim):
    """y = activation(x * s + b); arguments x, s, b, y, n, groups, rows, dim, inner, activation."""
    slope, low, high, clips = activation(args, 9)
    n, rows, dim, inner = word(args, 4), word(args, 6), word(args, 7), word(args, 8)
    x, s, b, y = word(args, 0), word(args, 1), word(args, 2), word(args, 3)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    if in_place(args, 0, 3):
        _affine(y, s, b, y, first, last, rows, dim, inner, slope, low, high, clips)
    else:
        _affine(x, s, b, y, first, last, rows, dim, inner, slope, low, high, clips)


@jit(inline="always")
def _multiply(x, s, y, first, last, rows, dim, inner, slope, low, high, clips):
    i = first
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        x1, y1 = f32_at(x + 4 * i, run), f32_at(y + 4 * i, run)
        if inner == 1:
            s1 = f32_at(s + 4 * at, run)
            for j in range(run):
                v = x1[j]
                y1[j] = activated(v * s1[j], slope, low, high, clips)
        else:
            s0 = f32_at(s + 4 * at, 1)[0]
            for j in range(run):
                v = x1[j]
                y1[j] = activated(v * s0, slope, low, high, clips)
        i += run


@kernel("factor_multiply_f32")
def factor_multiply_f32(args, task_id, task_dim):
    """y = activation(x * s); arguments x, s, y, n, groups, rows, dim, inner, activation."""
    slope, low, high, clips = activation(args, 8)
    n, rows, dim, inner = word(args, 3), word(args, 5), word(args, 6), word(args, 7)
    x, s, y = word(args, 0), word(args, 1), word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    if in_place(args, 0, 2):
        _multiply(y, s, y, first, last, rows, dim, inner, slope, low, high, clips)
    else:
        _multiply(x, s, y, first, last, rows, dim, inner, slope, low, high, clips)


@jit(inline="always")
def _shift(x, b, y, first, last, rows, dim, inner):
    i = first
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        x1, y1 = f32_at(x + 4 * i, run), f32_at(y + 4 * i, run)
        if inner == 1:
            b1 = f32_at(b + 4 * at, run)
            for j in range(run):
                v = x1[j]
                y1[j] = v + b1[j]
        else:
            b0 = f32_at(b + 4 * at, 1)[0]
            for j in range(run):
                v = x1[j]
                y1[j] = v + b0
        i += run


@kernel("factor_shift_f32")
def factor_shift_f32(args, task_id, task_dim):
    """y = x + b; arguments x, b, y, n, groups, rows, dim, inner."""
    n, rows, dim, inner = word(args, 3), word(args, 5), word(args, 6), word(args, 7)
    x, b, y = word(args, 0), word(args, 1), word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    if in_place(args, 0, 2):
        _shift(y, b, y, first, last, rows, dim, inner)
    else:
        _shift(x, b, y, first, last, rows, dim, inner)


@jit(inline="always")
def _prelu(x, slope, y, first, last, rows, dim, inner):
    i = first
    while i < last:
        at, run = place(i, rows, dim, inner)
        run = min(run, last - i)
        x1, y1 = f32_at(x + 4 * i, run), f32_at(y + 4 * i, run)
        if inner == 1:
            slope1 = f32_at(slope + 4 * at, run)
            for j in range(run):
                v = x1[j]
                y1[j] = (ZERO if v < ZERO else v) + slope1[j] * (ZERO if v > ZERO else v)
        else:
            slope0 = f32_at(slope + 4 * at, 1)[0]
            for j in range(run):
                v = x1[j]
                y1[j] = (ZERO if v < ZERO else v) + slope0 * (ZERO if v > ZERO else v)
        i += run


@kernel("factor_prelu_f32")
def factor_prelu_f32(args, task_id, task_dim):
    """y = max(x, 0) + slope * min(x, 0); arguments x, slope, y, n, groups, rows, dim, inner."""
    n, rows, dim, inner = word(args, 3), word(args, 5), word(args, 6), word(args, 7)
    x, slope, y = word(args, 0), word(args, 1), word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    if in_place(args, 0, 2):
        _prelu(y, slope, y, first, last, rows, dim, inner)
    else:
        _prelu(x, slope, y, first, last, rows, dim, inner)

"""Join and cut arrays of 4-byte elements along an axis: copies between rows of different lengths."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@jit
def copy(x, y, n):
    """y[:n] = x[:n]."""
    for i in range(n):
        y[i] = x[i]


@jit
def copy_rows(x, y, rows, n, x_step, y_step, task_id, task_dim):
    """y[r * y_step + i] = x[r * x_step + i] for i < n. Tasks take bands of the rows, or of each row where there are few of them."""
    if rows >= 4 * task_dim:
        for r in range(rows * task_id // task_dim, rows * (task_id + 1) // task_dim):
            copy(x[r * x_step:], y[r * y_step:], n)
    else:
        first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
        for r in range(rows):
            copy(x[r * x_step + first:], y[r * y_step + first:], last - first)


@kernel("concat_x32")
def concat_x32(args, task_id, task_dim):
    """Every row of y is the rows of the inputs, one after the other; arguments y, rows, row length, number of inputs, then each input (0: it is there
    already) and its row length."""
    rows, length, inputs = word(args, 1), word(args, 2), word(args, 3)
    y = i32_at(word(args, 0), rows * length)
    at = 0
    for j in range(inputs):
        n = word(args, 5 + 2 * j)
        if word(args, 4 + 2 * j) != 0:
            copy_rows(i32_at(word(args, 4 + 2 * j), rows * n), y[at:], rows, n, n, length, task_id, task_dim)
        at += n


@kernel("slice_x32")
def slice_x32(args, task_id, task_dim):
    """Every row of x is the rows of the outputs, one after the other; arguments x, rows, row length, number of outputs, then each output (0: it stays
    where it is) and its row length."""
    rows, length, outputs = word(args, 1), word(args, 2), word(args, 3)
    x = i32_at(word(args, 0), rows * length)
    at = 0
    for j in range(outputs):
        n = word(args, 5 + 2 * j)
        if word(args, 4 + 2 * j) != 0:
            copy_rows(x[at:], i32_at(word(args, 4 + 2 * j), rows * n), rows, n, length, n, task_id, task_dim)
        at += n

"""Float32 inner products that skip weights of zero: y = activation(x wᵀ + bias).

Arguments: x, weights, bias, 0, y, table, scratch base, scratch step, activation mode, low, high, places, starts. The table holds the number of rows,
their length, the number of outputs, and the bytes from one row of the output to the next. The weights of output o are the entries starts[o] to
starts[o + 1] of `weights` and `places` (see `cnml.kernels.sparse_inner_pack_f32`).

The lanes are rows; with one row, x is read where it lies. Tasks take bands of the outputs. As in `cnml.kernels.sparse_f32`, an infinity or NaN that
meets a weight of zero does not reach the sums.
"""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, i32_at, real, word
from cnml.kernels.conv_tiles import stored_items
from cnml.kernels.sparse_tiles import SPARSE_ROWS, sparse_inner_name
from cnml.ukernels.conv_f32 import LANES
from cnml.ukernels.sparse_dot_f32 import sparse_dot


def _inner(mr, item):
    """The kernel for blocks of `mr` rows; closes over integers only, see `cnml.kernels.conv_f32`."""
    def sparse_inner_f32(args, task_id, task_dim):
        """y = activation(x wᵀ + bias)."""
        table, low, high = word(args, 5), np.float32(real(args, 9)), np.float32(real(args, 10))
        m, k, n, y_bytes = word(table, 0), word(table, 1), word(table, 2), word(table, 3)
        panel = word(args, 6) + task_id * word(args, 7)
        starts = i32_at(word(args, 12), n + 1)
        for row in range(0, m, mr):
            x, rows = word(args, 0) + 4 * k * row, min(mr, m - row)
            if mr > 1:
                columns = f32_at(panel, mr * k)
                for r in range(mr):
                    source = f32_at(x + 4 * k * min(r, rows - 1), k)
                    for i in range(k):
                        columns[i * mr + r] = source[i]
                x = panel
            for o in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
                first, last = np.int64(starts[o]), np.int64(starts[o + 1])
                sparse_dot(mr, item, (word(args, 11) + 2 * first, word(args, 1) + item * first, last - first, x, word(args, 2) + 4 * o,
                                      word(args, 4) + row * y_bytes + 4 * o, y_bytes, rows, word(args, 8)), low, high)

    return sparse_inner_f32


for _mr in SPARSE_ROWS[LANES]:
    for _item in stored_items():
        kernel(sparse_inner_name(_mr, _item))(_inner(_mr, _item))

"""Inner products with few rows; arguments as `cnml.kernels.conv_f32`, whose `add` and scratch are not read. The table holds the number of rows, their
length, the number of outputs, and the bytes from one row of the output to the next.

Tasks take bands of the blocks of outputs.
"""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_tiles import stored_items
from cnml.kernels.inner_tiles import INNER_TILES, inner_name
from cnml.ukernels.inner_product_f32 import LANES, inner_tile


def _inner(mr, nv, lanes, item):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes

    def inner_f32(args, task_id, task_dim):
        """y = activation(x wᵀ + bias)."""
        table, low, high = word(args, 5), np.float32(real(args, 9)), np.float32(real(args, 10))
        m, k, n, y_bytes = word(table, 0), word(table, 1), word(table, 2), word(table, 3)
        blocks = (n + nr - 1) // nr
        for block in range(blocks * task_id // task_dim, blocks * (task_id + 1) // task_dim):
            weights, bias, y = word(args, 1) + block * k * nr * item, word(args, 2) + 4 * block * nr, word(args, 4) + 4 * block * nr
            for row in range(0, m, mr):
                inner_tile(mr, nv, item, (word(args, 0) + 4 * row * k, 4 * k, m - row, k, weights, bias, 0, y + row * y_bytes, y_bytes,
                                          n - block * nr, word(args, 8)), low, high)

    return inner_f32


for _mr, _nv in INNER_TILES[LANES]:
    for _item in stored_items():
        kernel(inner_name(_mr, _nv * LANES, _item))(_inner(_mr, _nv, LANES, _item))

"""INT8 inner products of a few rows that skip words of four inputs whose weights are zero; tasks share out blocks of outputs.

Arguments: as of `cnml.kernels.sparse_qs8`, with a table for tiles of one vector and weights from `cnml.kernels.sparse_rows_pack_qs8`, then the
bytes from one row of input to the next.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import i64_at, real, word
from cnml.kernels.bounded_f32 import are_bounded
from cnml.kernels.conv_addressing import link, prepare_scratch
from cnml.kernels.conv_qs8 import MOST_ADD
from cnml.kernels.sparse_qs8 import NR, SCALED_BIAS, SCALED_FACTOR, end_block, parts_of_scratch
from cnml.ukernels.sparse_qs8 import FLOATS, LANES
from cnml.ukernels.sparse_rows_qs8 import gather_rows
from cnrt import kernel_table

ROWS_NAME = "sparse_rows_qs8"


def sparse_rows_qs8(args, task_id, task_dim):
    """y = activation(factor * (start + x @ weights.T) + bias + add_factor * add) for at most LANES rows."""
    table, scratch, weights, ends = word(args, 5), word(args, 6) + task_id * word(args, 7), word(args, 1), word(args, 2)
    rows, cout, n = word(table, ct.BATCH), word(table, ct.COUT_GROUP), word(args, 11)
    codes_added = word(args, 3) == 0 or word(args, 12) != FLOATS and abs(np.float32(real(args, 13))) < MOST_ADD
    bounded = np.int64(codes_added and are_bounded(ends + 4 * n, n, np.float32(SCALED_FACTOR), np.float32(SCALED_BIAS)))
    prepare_scratch(table, scratch, LANES)
    places = parts_of_scratch(table, scratch)
    pixels = i64_at(places[6], LANES)
    for i in range(LANES):
        pixels[i] = i if i < rows else 0
    blocks = (cout + NR - 1) // NR
    for block in range(blocks * task_id // task_dim, blocks * (task_id + 1) // task_dim):
        section = weights + word(weights, block)
        gather_rows((section, section + 8 * NR, min(NR, cout - block * NR), word(args, 0), word(args, 19), rows, ends + 4 * block * NR, places[2]))
        end_block(args, block, places[2], rows, bounded, places)


def _provide() -> int:
    link()
    return kernel_cfunc(sparse_rows_qs8, exact=True)


kernel_table.register(ROWS_NAME, _provide)

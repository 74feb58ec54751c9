"""Repeated copies of blocks."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@jit()
def _copy(x, y):
    # on slices: an index that could be negative keeps a loop from being vectorised
    for i in range(y.size):
        y[i] = x[i]


@kernel("tile_x32")
def tile_x32(args, task_id, task_dim):
    """y[o, t, :] = x[o, :] for `tiles` values of t; tasks take bands of (o, t)."""
    outer, block, tiles = word(args, 2), word(args, 3), word(args, 4)
    x, y = i32_at(word(args, 0), outer * block), i32_at(word(args, 1), outer * block * tiles)
    copies = outer * tiles
    for k in range(copies * task_id // task_dim, copies * (task_id + 1) // task_dim):
        source, target = (k // tiles) * block, k * block
        _copy(x[source:source + block], y[target:target + block])

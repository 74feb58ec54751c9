"""Take a box out of an array of 4-byte elements."""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word
from cnml.kernels.concat_x32 import copy


@kernel("crop_x32")
def crop_x32(args, task_id, task_dim):
    """Runs of x, d3 long, from (d0, d1, d2) places; arguments x, y, first, d0 … d3, stride0 … stride2. Tasks take bands of the runs."""
    first, d0, d1, d2, d3 = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    s0, s1, s2 = word(args, 7), word(args, 8), word(args, 9)
    runs = d0 * d1 * d2
    x = i32_at(word(args, 0), first + (d0 - 1) * s0 + (d1 - 1) * s1 + (d2 - 1) * s2 + d3)
    y = i32_at(word(args, 1), runs * d3)
    for r in range(runs * task_id // task_dim, runs * (task_id + 1) // task_dim):
        at = first + r // (d1 * d2) * s0 + r // d2 % d1 * s1 + r % d2 * s2
        copy(x[at:], y[r * d3:], d3)

"""Rounding to half precision, for operators whose own kernels do not round what they store."""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.round_half_f32 import LANES, round_run


@kernel("round_half_f32")
def round_half_f32(args, task_id, task_dim):
    """y = x rounded to half precision, saturating at ±65504. Arguments: x, y, rows, columns, elements from row to row of x and of y."""
    x, y, rows, columns, x_pitch, y_pitch = word(args, 0), word(args, 1), word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    if x_pitch == columns and y_pitch == columns:
        count = rows * columns
        blocks = (count + LANES - 1) // LANES
        first = blocks * task_id // task_dim * LANES
        last = min(blocks * (task_id + 1) // task_dim * LANES, count)
        if first < last:
            round_run(x + 4 * first, y + 4 * first, last - first)
    else:
        for row in range(rows * task_id // task_dim, rows * (task_id + 1) // task_dim):
            round_run(x + 4 * row * x_pitch, y + 4 * row * y_pitch, columns)

"""Softmax over the middle of (outer, n, inner); arguments x, y, outer, n, inner, scratch (`cnml.kernels.softmax_plan`)."""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.softmax_f32 import LANES, VECTORS, softmax_columns, softmax_lines, softmax_packed

#: columns that are worked on side by side where inner > 1
COLUMNS = VECTORS * LANES


@kernel("softmax_f32")
def softmax_f32(args, task_id, task_dim):
    """y = softmax(x); tasks take bands of the lines, or blocks of columns."""
    x, y, outer, n, inner = word(args, 0), word(args, 1), word(args, 2), word(args, 3), word(args, 4)
    if inner == 1:
        first, last = outer * task_id // task_dim, outer * (task_id + 1) // task_dim
        softmax_lines(x + 4 * first * n, y + 4 * first * n, last - first, n)
        return
    scratch = word(args, 5) + word(args, 6) * task_id
    blocks = (inner + COLUMNS - 1) // COLUMNS
    for block in range(outer * blocks * task_id // task_dim, outer * blocks * (task_id + 1) // task_dim):
        j = block % blocks * COLUMNS
        at = 4 * (block // blocks * n * inner + j)
        softmax_columns(x + at, y + at, n, inner, min(COLUMNS, inner - j), scratch)


def _packed(n):
    def softmax_packed_f32(args, task_id, task_dim):
        """Lines of one short length."""
        outer = word(args, 2)
        first, last = outer * task_id // task_dim, outer * (task_id + 1) // task_dim
        softmax_packed(n, word(args, 0) + 4 * first * n, word(args, 1) + 4 * first * n, last - first)

    return softmax_packed_f32


for _n in range(2, LANES // 2 + 1):
    kernel(f"softmax_f32_packed_{_n}")(_packed(_n))

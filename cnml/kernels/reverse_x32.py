"""Copies with one axis reversed."""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import i32_at, word


@kernel("reverse_x32")
def reverse_x32(args, task_id, task_dim):
    """y[o, i] = x[o, n - 1 - i] for (outer, n, inner); tasks take bands of outer * n."""
    outer, n, inner = word(args, 2), word(args, 3), word(args, 4)
    x, y = i32_at(word(args, 0), outer * n * inner), i32_at(word(args, 1), outer * n * inner)
    for line in range(outer * n * task_id // task_dim, outer * n * (task_id + 1) // task_dim):
        source, target = (line // n * n + n - 1 - line % n) * inner, line * inner
        for k in range(inner):
            y[target + k] = x[source + k]

"""Largest values of lines."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word
from cnml.ukernels.arg_max_f32 import last_greatest

_WIDTH = 1024
#: lines that go side by side
GROUP = 4


@jit(exact=True)
def _band(x, y, best, n, stride):
    """Indices of the largest along n rows of `best.size` neighbouring columns."""
    for j in range(best.size):
        best[j] = x[j]
        y[j] = np.float32(0)
    for i in range(1, n):
        row, index = x[i * stride:i * stride + best.size], np.float32(i)
        for j in range(best.size):
            take = row[j] >= best[j]
            best[j] = row[j] if take else best[j]
            y[j] = index if take else y[j]


@kernel("arg_max_f32", exact=True)
def arg_max_f32(args, task_id, task_dim):
    """Largest along the middle of (outer, n, inner): index (mode 0), value (1), or index and value behind one another (2, inner 1)."""
    outer, n, inner, mode = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    x = f32_at(word(args, 0), outer * n * inner)
    y = f32_at(word(args, 1), outer * inner * (2 if mode == 2 else 1))
    if inner == 1:
        found = word(args, 6) + word(args, 7) * task_id
        first, last = outer * task_id // task_dim, outer * (task_id + 1) // task_dim
        for start in range(first, last, GROUP):
            some = min(GROUP, last - start)
            if some == GROUP:
                last_greatest(GROUP, word(args, 0) + 4 * start * n, n, found)
            else:
                for i in range(some):
                    last_greatest(1, word(args, 0) + 4 * (start + i) * n, n, found + 8 * i)
            for i in range(some):
                o, at = start + i, word(found, i)
                if mode == 1:
                    y[o] = x[o * n + at]
                elif mode == 0:
                    y[o] = np.float32(at)
                else:
                    y[2 * o] = np.float32(at)
                    y[2 * o + 1] = x[o * n + at]
        return
    scratch = f32_at(word(args, 6) + word(args, 7) * task_id, _WIDTH)
    bands = (inner + _WIDTH - 1) // _WIDTH
    for k in range(outer * bands * task_id // task_dim, outer * bands * (task_id + 1) // task_dim):
        o, first = k // bands, (k % bands) * _WIDTH
        width = min(_WIDTH, inner - first)
        out = y[o * inner + first:o * inner + first + width]
        best = scratch[:width]
        _band(x[o * n * inner + first:], out, best, n, inner)
        if mode == 1:
            for j in range(width):
                out[j] = best[j]


@jit(exact=True)
def _insert(values, indices, filled, v, i):
    """Put v into the descending list; a newer equal goes in front."""
    at = filled if filled < values.size else filled - 1
    while at > 0 and v >= values[at - 1]:
        values[at], indices[at] = values[at - 1], indices[at - 1]
        at -= 1
    values[at], indices[at] = v, np.float32(i)


@kernel("arg_max_k_f32", exact=True)
def arg_max_k_f32(args, task_id, task_dim):
    """The k largest along the middle of (outer, n, inner), modes as in `arg_max_f32`; tasks take bands of outer * inner."""
    outer, n, inner, k, mode = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    x = f32_at(word(args, 0), outer * n * inner)
    y = f32_at(word(args, 1), outer * inner * k * (2 if mode == 2 else 1))
    scratch = f32_at(word(args, 7) + word(args, 8) * task_id, 2 * k)
    values, indices = scratch[:k], scratch[k:]
    lines = outer * inner
    for line in range(lines * task_id // task_dim, lines * (task_id + 1) // task_dim):
        o, column = line // inner, line % inner
        base = o * n * inner + column
        for i in range(n):
            v = x[base + i * inner]
            if i < k or v >= values[k - 1]:
                _insert(values, indices, min(i, k), v, i)
        for j in range(k):
            if mode == 2:
                y[2 * o * k + j] = indices[j]
                y[(2 * o + 1) * k + j] = values[j]
            else:
                y[(o * k + j) * inner + column] = values[j] if mode == 1 else indices[j]

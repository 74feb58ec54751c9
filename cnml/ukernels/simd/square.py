"""Squares of rows in registers, turned into their columns."""
from __future__ import annotations

from llvmlite import ir

from cnml.ukernels.simd.dot4 import ints

_RUN = 4  # lanes that instructions take by turns without crossing to others


def transposed(bd: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """As many vectors as each has lanes, with lane j of vector i where lane i of vector j was."""
    n = len(rows)

    def pick(a: ir.Value, b: ir.Value, lanes: list[int]) -> ir.Value:
        return bd.shuffle_vector(a, b, ir.Constant(ints(n), lanes))
    low, high = ([q + i + k * n for q in range(0, n, _RUN) for i in half for k in (0, 1)] for half in ((0, 1), (2, 3)))
    left, right = ([q + i + k * n for q in range(0, n, _RUN) for k in (0, 1) for i in half] for half in ((0, 1), (2, 3)))
    out = []
    for g in range(0, n, _RUN):
        a, b, c, d = rows[g:g + _RUN]
        for by_turns in (low, high):
            ab, cd = pick(a, b, by_turns), pick(c, d, by_turns)
            out += [pick(ab, cd, left), pick(ab, cd, right)]
    apart = _RUN
    while apart < n:
        first, second = ([j + k * apart if not j & apart else n + j - (1 - k) * apart for j in range(n)] for k in (0, 1))
        for i in (i for i in range(n) if not i & apart):
            out[i], out[i + apart] = pick(out[i], out[i + apart], first), pick(out[i], out[i + apart], second)
        apart *= 2
    return out

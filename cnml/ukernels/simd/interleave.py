"""Bytes of four vectors taken by turns, and elements brought back in order."""
from __future__ import annotations

from llvmlite import ir

from cnml.ukernels.simd.dot4 import I16, ints

#: bytes of a run: the pieces of a vector that instructions take apart without crossing
RUN = 16


def interleave(bd: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """Four vectors of bytes as four of 32-bit words with a byte from each row: words of channels 0-3 of every run of sixteen, 4-7, 8-11, 12-15."""
    n = rows[0].type.count
    pairs = [[bd.bitcast(_alternate(bd, rows[k], rows[k + 1], RUN, high), ir.VectorType(I16, n // 2)) for high in (0, 1)] for k in (0, 2)]
    return [bd.bitcast(_alternate(bd, pairs[0][half], pairs[1][half], RUN // 2, high), ints(n // 4)) for half in (0, 1) for high in (0, 1)]


def _alternate(bd: ir.IRBuilder, a: ir.Value, b: ir.Value, run: int, high: int) -> ir.Value:
    """The elements of both by turns, of the first or the second half of each run."""
    count = a.type.count
    taken = [start + high * run // 2 + i for start in range(0, count, run) for i in range(run // 2)]
    return bd.shuffle_vector(a, b, ir.Constant(ints(count), [j for i in taken for j in (i, count + i)]))


def in_order(bd: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    """The elements of what became of the four vectors of `interleave`, as one vector in the order of the channels."""
    whole, lanes = joined(bd, parts), parts[0].type.count
    order = [part * lanes + run * 4 + i for run in range(lanes // 4) for part in range(4) for i in range(4)]
    return bd.shuffle_vector(whole, whole, ir.Constant(ints(4 * lanes), order))


def joined(bd: ir.IRBuilder, parts: list[ir.Value]) -> ir.Value:
    """Vectors behind each other, none longer than those before it together."""
    whole = parts[0]
    for part in parts[1:]:
        n, more = whole.type.count, part.type.count
        wide = part if n == more else bd.shuffle_vector(part, part, ir.Constant(ints(n), [i % more for i in range(n)]))
        whole = bd.shuffle_vector(whole, wide, ir.Constant(ints(n + more), list(range(n + more))))
    return whole


def cut(bd: ir.IRBuilder, vector: ir.Value, first: int, n: int) -> ir.Value:
    """n elements from the first on."""
    return vector if n == vector.type.count else bd.shuffle_vector(vector, vector, ir.Constant(ints(n), list(range(first, first + n))))

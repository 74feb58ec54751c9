"""Columns of rows that lie anywhere in memory."""
from __future__ import annotations

from llvmlite import ir

from cnml.ukernels.simd.dot4 import ints

#: elements of a piece of a vector that instructions do not cross
RUN = 4


def columns_of(bd: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """The first four columns of rows of 32-bit words: vectors with an element of each row.

    Rows 0, 4, 8, … are loaded into the runs of one vector, rows 1, 5, 9, … into those of the next, so only runs are left to be transposed.

    Parameters
    ----------
    bd : IRBuilder
    rows : list of pointer values
        4, 8 or 16; sixteen bytes of each are read.

    Returns
    -------
    list of four vectors of 32-bit integers
    """
    n = len(rows)
    pieces = [bd.load(row, align=1, typ=ints(RUN)) for row in rows]
    whole = []
    for i in range(RUN):
        parts = pieces[i::RUN]
        while len(parts) > 1:
            both = list(range(2 * parts[0].type.count))
            parts = [bd.shuffle_vector(a, b, ir.Constant(ints(len(both)), both)) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        whole.append(parts[0])

    def mixed(a: ir.Value, b: ir.Value, chosen: tuple[int, ...]) -> ir.Value:
        """Of every run four elements, numbered from a's to b's."""
        order = [run + i if i < RUN else n + run + i - RUN for run in range(0, n, RUN) for i in chosen]
        return bd.shuffle_vector(a, b, ir.Constant(ints(n), order))
    low, high = ([mixed(whole[i], whole[i + 1], chosen) for i in (0, 2)] for chosen in ((0, 4, 1, 5), (2, 6, 3, 7)))
    return [mixed(*pair, chosen) for pair in (low, high) for chosen in ((0, 1, 4, 5), (2, 3, 6, 7))]

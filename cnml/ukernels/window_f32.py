"""Reduction of windows of pixels, with the channels innermost: one window of any size, or a line of windows that share columns."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I64, at, pointer, word

LANES = isa().lanes
#: vectors of channels that a line of windows takes side by side
VECTORS = 2
LOWEST = -float(np.finfo(np.float32).max)
#: what becomes of a window: the sum of its pixels, the greatest, or the sum of their squares
SUM, GREATEST, SQUARES = range(3)


class WindowWords(NamedTuple):
    """Integer operands; addresses and strides are in bytes."""

    x: Any
    y: Any
    channels: Any
    row_bytes: Any      # of x
    column_bytes: Any   # of x
    out_bytes: Any      # from one output pixel to the next


def _literal(*values: Any) -> list[int]:
    if not all(isinstance(t, types.IntegerLiteral) for t in values):
        raise TypingError(f"the form of a window must be constant, got {values}")
    return [t.literal_value for t in values]


def _start(lanes: int, kind: int) -> ir.Constant:
    return ir.Constant(v.vec(lanes), [LOWEST if kind == GREATEST else 0.0] * lanes)


def _take(bd: ir.IRBuilder, acc: ir.Value, x: ir.Value, kind: int) -> ir.Value:
    """One more pixel."""
    return v.multiply_add(bd, x, x, acc) if kind == SQUARES else _join(bd, acc, x, kind)


def _join(bd: ir.IRBuilder, acc: ir.Value, x: ir.Value, kind: int) -> ir.Value:
    """The result of two parts. A NaN is not greater, so it is skipped."""
    return bd.select(bd.fcmp_ordered(">", x, acc), x, acc) if kind == GREATEST else bd.fadd(acc, x)


def _finish(bd: ir.IRBuilder, value: ir.Value, scale: ir.Value, kind: int) -> ir.Value:
    return value if kind == GREATEST else bd.fmul(value, v.splat(bd, scale, value.type.count))


# ---- one window of any size ---------------------------------------------------------------------------------------------------------------------


def _chunk(bd: ir.IRBuilder, w: WindowWords, extent: tuple[ir.Value, ir.Value], scale: ir.Value, offset: ir.Value,
           form: tuple[int, int, int]) -> None:
    """`vectors` * `lanes` channels, `offset` bytes into the pixel."""
    kind, vectors, lanes = form
    x, y = pointer(bd, w.x), pointer(bd, w.y)
    cells = [Cell(bd, v.vec(lanes), _start(lanes, kind)) for _ in range(vectors)]
    with loop(bd, word(0), extent[0], 1) as r:
        row = bd.add(offset, bd.mul(r, w.row_bytes))
        with loop(bd, word(0), extent[1], 1) as c:
            here = at(bd, x, bd.add(row, bd.mul(c, w.column_bytes)))
            for i, cell in enumerate(cells):
                cell.set(_take(bd, cell.get(), v.load(bd, at(bd, here, 4 * lanes * i), lanes), kind))
    for i, cell in enumerate(cells):
        v.store(bd, _finish(bd, cell.get(), scale, kind), at(bd, y, bd.add(offset, word(4 * lanes * i))))


@intrinsic(prefer_literal=True)
def window(typingctx: Any, kind: Any, words: Any, rows: Any, columns: Any, scale: Any) -> Any:
    """y[c] of x[r, k, c] over r < rows and k < columns: GREATEST gives the first greatest, -FLT_MAX where nothing is greater; SUM and SQUARES give
    `scale` times their sums.
    """
    (form,) = _literal(kind)

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        w = WindowWords(*(bd.extract_value(a[1], i) for i in range(len(WindowWords._fields))))
        done = Cell(bd, I64, word(0))

        def cover(vectors: int, lanes: int) -> None:
            with loop(bd, done.get(), w.channels, vectors * lanes) as c:
                _chunk(bd, w, (a[2], a[3]), a[4], bd.mul(c, word(4)), (form, vectors, lanes))
                done.set(bd.add(c, word(vectors * lanes)))

        with bd.if_else(bd.icmp_signed(">=", w.channels, word(LANES))) as (wide, narrow):
            with wide:
                cover(4, LANES)
                last = bd.sub(w.channels, word(LANES))
                with loop(bd, done.get(), bd.add(w.channels, word(LANES - 1)), LANES) as c:
                    # the last vector moves back and computes some channels again
                    first = bd.select(bd.icmp_signed("<", c, last), c, last)
                    _chunk(bd, w, (a[2], a[3]), a[4], bd.mul(first, word(4)), (form, 1, LANES))
            with narrow:
                cover(1, 4)
                cover(1, 1)
        return context.get_dummy_value()

    words_type = types.UniTuple(types.int64, len(WindowWords._fields))
    return types.void(kind, words_type, types.int64, types.int64, types.float32), codegen


# ---- a line of windows --------------------------------------------------------------------------------------------------------------------------


def _line(bd: ir.IRBuilder, w: WindowWords, count: ir.Value, scale: ir.Value, form: tuple[int, int, int, int], vectors: int) -> None:
    """All blocks of `vectors` vectors of channels; the last block moves back so that it ends with the channels."""
    kind, rows, columns, stride = form
    width = vectors * LANES
    with loop(bd, word(0), bd.add(w.channels, word(width - 1)), width) as c:
        last = bd.sub(w.channels, word(width))
        offset = bd.mul(bd.select(bd.icmp_signed("<", c, last), c, last), word(4))
        source = Cell(bd, ir.PointerType(), at(bd, pointer(bd, w.x), offset))
        target = Cell(bd, ir.PointerType(), at(bd, pointer(bd, w.y), offset))

        def column(k: int) -> list[ir.Value]:
            """The columns k of the next window, reduced."""
            base = at(bd, source.get(), bd.mul(w.column_bytes, word(k)))
            sums = [_start(LANES, kind)] * vectors
            for r in range(rows):
                row = at(bd, base, bd.mul(w.row_bytes, word(r)))
                values = [v.load(bd, at(bd, row, 4 * LANES * i), LANES) for i in range(vectors)]
                sums = values if r == 0 and kind == SUM else [_take(bd, s, x, kind) for s, x in zip(sums, values, strict=True)]
            return sums

        kept = [[Cell(bd, v.vec(LANES), x) for x in column(k)] for k in range(columns - stride)]
        with loop(bd, word(0), count, 1):
            fresh = [column(k) for k in range(columns - stride, columns)]
            window_columns = [[cell.get() for cell in cells] for cells in kept] + fresh
            for i in range(vectors):
                total = window_columns[0][i]
                for other in window_columns[1:]:
                    total = _join(bd, total, other[i], kind)
                v.store(bd, _finish(bd, total, scale, kind), at(bd, target.get(), 4 * LANES * i))
            for cells, values in zip(kept, window_columns[stride:], strict=True):
                for cell, x in zip(cells, values, strict=True):
                    cell.set(x)
            source.set(at(bd, source.get(), bd.mul(w.column_bytes, word(stride))))
            target.set(at(bd, target.get(), w.out_bytes))


@intrinsic(prefer_literal=True)
def window_line(typingctx: Any, kind: Any, rows: Any, columns: Any, stride: Any, words: Any, count: Any, scale: Any) -> Any:
    """`window` for `count` windows of rows x columns pixels, each `stride` <= columns pixels after the one before; at least a vector of channels.

    A column is reduced once, in registers, and kept for the next window.
    """
    form = _literal(kind, rows, columns, stride)

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        w = WindowWords(*(bd.extract_value(a[4], i) for i in range(len(WindowWords._fields))))
        with bd.if_else(bd.icmp_signed(">=", w.channels, word(VECTORS * LANES))) as (wide, narrow):
            with wide:
                _line(bd, w, a[5], a[6], tuple(form), VECTORS)  # type: ignore[arg-type]
            with narrow:
                _line(bd, w, a[5], a[6], tuple(form), 1)  # type: ignore[arg-type]
        return context.get_dummy_value()

    words_type = types.UniTuple(types.int64, len(WindowWords._fields))
    return types.void(kind, rows, columns, stride, words_type, types.int64, types.float32), codegen

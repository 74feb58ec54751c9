"""Reduction of windows of pixels of codes, with the channels innermost."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_x8 import limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import I16, ints, splat_word
from cnml.ukernels.simd.interleave import cut
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import BYTE, I32, I64, at, pointer, word

LANES = isa().lanes
#: bytes of a vector
WIDE = 4 * LANES
#: what becomes of a window: its greatest code, its average as codes or as float32
GREATEST, AVERAGE, AVERAGE_FLOATS = range(3)
#: windows whose loops are unrolled: rows and columns of pixels, as wide as they are high
SQUARES = (3, 2)
#: so many bytes at most are summed in 16 bits
SHORT = 256


class WindowWords(NamedTuple):
    """Integer operands; addresses and steps are in bytes."""

    x: Any          # first pixel
    y: Any
    channels: Any
    rows: Any
    columns: Any
    row_bytes: Any
    column_bytes: Any
    x_zero: Any     # the code of 0
    zero: Any       # of the result
    empty: Any      # GREATEST only: the code that a window without pixels gives


class WindowFloats(NamedTuple):
    """float32 operands."""

    ratio: Any      # units of the result in one of x
    divisor: Any
    least: Any      # smallest and largest result in units
    most: Any


@intrinsic(prefer_literal=True)
def window_x8(typingctx: Any, kind: Any, words: Any, floats: Any) -> Any:
    """y[c] of x[r, k, c] over r < rows and k < columns. GREATEST: the greatest code. AVERAGE: codes of sum(x - x_zero) * ratio / divisor, each
    operation on floats rounded by itself; AVERAGE_FLOATS: that in float32.
    """
    if not isinstance(kind, types.IntegerLiteral):
        raise TypingError(f"what becomes of a window must be constant, got {kind}")
    form = kind.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = WindowWords(*(bd.extract_value(args[1], i) for i in range(len(WindowWords._fields))))
        f = WindowFloats(*(bd.extract_value(args[2], i) for i in range(len(WindowFloats._fields))))
        if form == GREATEST:
            _choose(bd, _squares(bd, w), lambda extent: _cover(bd, w.channels, lambda c, width: _greatest(bd, w, extent, c, width)))
        else:
            held = limits(bd, f.least, f.most, w.zero) if form == AVERAGE else None
            few = bd.icmp_signed("<=", bd.mul(w.rows, w.columns), word(SHORT))
            ways = [*((condition, (extent, I16)) for condition, extent in _squares(bd, w)), (few, (None, I16))]
            _choose(bd, ways, lambda way: _cover(bd, w.channels, lambda c, width: _average(bd, w, f, held, way or (None, I32), c, width)))
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.int64, len(WindowWords._fields)), types.UniTuple(types.float32, len(WindowFloats._fields))
    return types.void(kind, words_type, floats_type), codegen


def _squares(bd: ir.IRBuilder, w: WindowWords) -> list[tuple[ir.Value, Any]]:
    """The unrolled windows, each with its condition."""
    return [(bd.and_(bd.icmp_signed("==", w.rows, word(n)), bd.icmp_signed("==", w.columns, word(n))), n) for n in SQUARES]


def _choose(bd: ir.IRBuilder, ways: list[tuple[ir.Value, Any]], emit: Callable[[Any], None]) -> None:
    """The first way whose condition holds, else None."""
    if not ways:
        emit(None)
        return
    with bd.if_else(ways[0][0]) as (so, otherwise):
        with so:
            emit(ways[0][1])
        with otherwise:
            _choose(bd, ways[1:], emit)


def _cover(bd: ir.IRBuilder, channels: ir.Value, piece: Callable[[ir.Value, int], None]) -> None:
    """All channels in pieces of a width: the last piece moves back and does some again, but for few channels, which go four at a time."""
    def whole(width: int) -> None:
        last = bd.sub(channels, word(width))
        with loop(bd, word(0), bd.add(channels, word(width - 1)), width) as c:
            piece(bd.select(bd.icmp_signed("<", c, last), c, last), width)

    def few() -> None:
        done = Cell(bd, I64, word(0))
        for width in (4, 1):
            with loop(bd, done.get(), channels, width) as c:
                piece(c, width)
                done.set(bd.add(c, word(width)))

    widths = [n for n in (WIDE, 32, 16) if n <= WIDE]
    ways = [(bd.icmp_signed(">=", channels, word(n)), n) for n in dict.fromkeys(widths)]
    _choose(bd, ways, lambda width: whole(width) if width else few())


def _pixels(bd: ir.IRBuilder, w: WindowWords, extent: int | None, first: ir.Value, take: Callable[[ir.Value], None]) -> None:
    """Every pixel of the window, `first` bytes into it."""
    base = at(bd, pointer(bd, w.x), first)
    if extent is not None:
        for i in range(extent * extent):
            row = at(bd, base, bd.mul(w.row_bytes, word(i // extent)))
            take(at(bd, row, bd.mul(w.column_bytes, word(i % extent))))
        return
    with loop(bd, word(0), w.rows, 1) as r:
        row = at(bd, base, bd.mul(r, w.row_bytes))
        with loop(bd, word(0), w.columns, 1) as k:
            take(at(bd, row, bd.mul(k, w.column_bytes)))


def _greatest(bd: ir.IRBuilder, w: WindowWords, extent: int | None, first: ir.Value, width: int) -> None:
    typ = ir.VectorType(BYTE, width)
    best = Cell(bd, typ, ir.Constant(typ, [0] * width))

    def take(ptr: ir.Value) -> None:
        x, before = bd.load(ptr, align=1, typ=typ), best.get()
        best.set(bd.select(bd.icmp_unsigned(">", x, before), x, before))

    _pixels(bd, w, extent, first, take)
    result = best.get()
    if extent is None:
        nothing = bd.icmp_signed("<=", bd.mul(w.rows, w.columns), word(0))
        result = bd.select(nothing, vec_x8.splat_integer(bd, bd.trunc(w.empty, BYTE), width), result)
    vec_x8.store_codes(bd, result, at(bd, pointer(bd, w.y), first))


def _average(bd: ir.IRBuilder, w: WindowWords, f: WindowFloats, held: vec_x8.Limits | None, way: tuple[int | None, ir.IntType], first: ir.Value,
             width: int) -> None:
    """Sums of bytes in elements that hold them, then the zeros of all pixels together."""
    extent, element = way
    typ, lanes = ir.VectorType(element, width), min(LANES, width)
    total = Cell(bd, typ, ir.Constant(typ, [0] * width))
    _pixels(bd, w, extent, first, lambda ptr: total.set(bd.add(total.get(), bd.zext(bd.load(ptr, align=1, typ=ir.VectorType(BYTE, width)), typ))))
    sums = total.get()
    zeros = splat_word(bd, bd.trunc(bd.mul(bd.mul(w.rows, w.columns), w.x_zero), I32), lanes)
    ratio = v.splat(bd, f.ratio if held is None else vec_x8.scaled(bd, f.ratio), lanes)
    divisor = v.splat(bd, f.divisor, lanes)
    results = []
    for j in range(0, width, lanes):
        part = cut(bd, sums, j, lanes)
        whole = bd.sub(bd.zext(part, ints(lanes)) if element is I16 else part, zeros)
        results.append(bd.fdiv(v.multiply_rounded(bd, bd.sitofp(whole, v.vec(lanes)), ratio), divisor))
    if held is None:
        out = at(bd, pointer(bd, w.y), bd.mul(first, word(4)))
        for j, value in enumerate(results):
            v.store(bd, value, at(bd, out, 4 * lanes * j))
    else:
        vec_x8.store_codes(bd, vec_x8.codes_of(bd, results, held), at(bd, pointer(bd, w.y), first))

"""Rows of elements between float32 and codes, one element after the other: what a pixel's channels are put through."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_x8 import activate_codes, fold, limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import ints, splat_word
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import BYTE, I32, I64, at, pointer, word

LANES = isa().lanes
#: floats to codes, codes to floats, codes to other codes, the sum of two tensors of codes as codes
QUANTIZE, DEQUANTIZE, REQUANTIZE, SUM = range(4)
#: vectors side by side
VECTORS = 4
#: planes of an image that become a word
PLANES = 4


class RowWords(NamedTuple):
    """Integer operands; addresses and steps are in bytes."""

    a: Any
    b: Any        # SUM only
    y: Any
    rows: Any
    n: Any        # elements of a row
    a_step: Any   # from row to row
    b_step: Any
    y_step: Any
    a_zero: Any   # the code of 0
    b_zero: Any
    zero: Any     # of the result
    mode: Any     # activation of SUM, see epilogue_f32


class RowFloats(NamedTuple):
    """float32 operands."""

    a_factor: Any  # units of the result in one of a
    b_factor: Any
    low: Any       # of the activation
    high: Any
    least: Any     # smallest and largest result in units
    most: Any


@intrinsic(prefer_literal=True)
def map_rows(typingctx: Any, kind: Any, words: Any, floats: Any) -> Any:
    """y[r, i] of a[r, i] (and b[r, i]) for i < n and every row; `kind` says how, each operation on floats is rounded by itself.

    QUANTIZE: codes of a * a_factor. DEQUANTIZE: (a - a_zero) * a_factor in float32. REQUANTIZE: codes of that. SUM: codes of
    activation((a - a_zero) * a_factor + (b - b_zero) * b_factor). y may be a or b where elements are as wide and steps the same.
    """
    if not isinstance(kind, types.IntegerLiteral):
        raise TypingError(f"what becomes of a row must be constant, got {kind}")
    form = kind.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = RowWords(*(bd.extract_value(args[1], i) for i in range(len(RowWords._fields))))
        f = RowFloats(*(bd.extract_value(args[2], i) for i in range(len(RowFloats._fields))))
        held = limits(bd, f.least, f.most, w.zero)
        with loop(bd, word(0), w.rows, 1) as row:
            bases = [at(bd, pointer(bd, p), bd.mul(row, step)) for p, step in ((w.a, w.a_step), (w.b, w.b_step), (w.y, w.y_step))]
            _cover(bd, w.n, lambda i, vectors, lanes: _piece(bd, w, f, held, (form, vectors, lanes), [*bases, i]))
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.int64, len(RowWords._fields)), types.UniTuple(types.float32, len(RowFloats._fields))
    return types.void(kind, words_type, floats_type), codegen


def _cover(bd: ir.IRBuilder, n: ir.Value, piece: Callable[[ir.Value, int, int], None]) -> None:
    """n elements in pieces of several vectors, then of one, of four elements, of one element; none is written twice, so y may be the input."""
    done = Cell(bd, I64, word(0))
    for vectors, lanes in dict.fromkeys([(VECTORS, LANES), (1, LANES), (1, 4), (1, 1)]):
        with loop(bd, done.get(), n, vectors * lanes) as i:
            piece(i, vectors, lanes)
            done.set(bd.add(i, word(vectors * lanes)))


def _piece(bd: ir.IRBuilder, w: RowWords, f: RowFloats, held: vec_x8.Limits, form: tuple[int, int, int], where: list[ir.Value]) -> None:
    """`vectors` times `lanes` elements of a row."""
    kind, vectors, lanes = form
    a, b, y, first = where
    factor, other = (v.splat(bd, x if kind == DEQUANTIZE else vec_x8.scaled(bd, x), lanes) for x in (f.a_factor, f.b_factor))
    if kind == QUANTIZE:
        x = [v.load(bd, at(bd, at(bd, a, bd.mul(first, word(4))), 4 * lanes * j), lanes) for j in range(vectors)]
    else:
        x = _decoded(bd, at(bd, a, first), w.a_zero, vectors, lanes)
    results = [v.multiply_rounded(bd, value, factor) for value in x]
    if kind == DEQUANTIZE:
        for j, value in enumerate(results):
            v.store(bd, value, at(bd, at(bd, y, bd.mul(first, word(4))), 4 * lanes * j))
        return
    if kind == SUM:
        more = [v.multiply_rounded(bd, value, other) for value in _decoded(bd, at(bd, b, first), w.b_zero, vectors, lanes)]
        cells = [Cell(bd, v.vec(lanes), bd.fadd(p, q)) for p, q in zip(results, more, strict=True)]
        mode, held = fold(bd, w.mode, (f.low, f.high), held)
        activate_codes(bd, mode, (f.low, f.high), cells)
        results = [cell.get() for cell in cells]
    vec_x8.store_codes(bd, vec_x8.codes_of(bd, results, held), at(bd, y, first))


def _decoded(bd: ir.IRBuilder, ptr: ir.Value, zero: ir.Value, vectors: int, lanes: int) -> list[ir.Value]:
    """Vectors of codes - zero as floats."""
    z = bd.trunc(zero, I32)
    return [vec_x8.to_floats(bd, vec_x8.load_ints(bd, at(bd, ptr, lanes * j), lanes), z, lanes) for j in range(vectors)]


@intrinsic(prefer_literal=True)
def quantize_planes(typingctx: Any, channels: Any, words: Any, floats: Any) -> Any:
    """y[i] = the codes of a[k, i] * a_factor for k < channels <= 4, zeros behind them, as one word: channels last of `n` pixels of planes.

    Uses a, y, n, a_step (bytes from plane to plane), zero, a_factor, least and most of the operands of `map_rows`.
    """
    if not isinstance(channels, types.IntegerLiteral) or not 1 <= channels.literal_value <= PLANES:
        raise TypingError(f"the planes of an image must be a constant from 1 to {PLANES}, got {channels}")
    planes = channels.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = RowWords(*(bd.extract_value(args[1], i) for i in range(len(RowWords._fields))))
        f = RowFloats(*(bd.extract_value(args[2], i) for i in range(len(RowFloats._fields))))
        zeros = bd.mul(bd.trunc(w.zero, I32), ir.Constant(I32, 0x01010101))

        def piece(first: ir.Value, vectors: int, lanes: int) -> None:
            factor, least, most = (v.splat(bd, x, lanes) for x in (f.a_factor, f.least, f.most))
            for j in range(vectors):
                total = splat_word(bd, zeros, lanes)
                for k in range(planes):
                    row = at(bd, pointer(bd, bd.add(w.a, bd.mul(w.a_step, word(k)))), bd.mul(first, word(4)))
                    t = v.multiply_rounded(bd, v.load(bd, at(bd, row, 4 * lanes * j), lanes), factor)
                    code = vec_x8.round_away(bd, v.clamp(bd, least, most, t), lanes)
                    # no code is less than 0 or more than 255 once its zero is added, whatever the order of the sums
                    total = bd.add(total, bd.shl(code, ir.Constant(ints(lanes), [8 * k] * lanes)))
                out = at(bd, at(bd, pointer(bd, w.y), bd.mul(first, word(4))), 4 * lanes * j)
                vec_x8.store_codes(bd, bd.bitcast(total, ir.VectorType(BYTE, 4 * lanes)), out)

        _cover(bd, w.n, piece)
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.int64, len(RowWords._fields)), types.UniTuple(types.float32, len(RowFloats._fields))
    return types.void(channels, words_type, floats_type), codegen

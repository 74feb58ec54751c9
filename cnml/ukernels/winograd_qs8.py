"""Exact Winograd convolutions F(4x4,3x3) of codes in registers: transforms in 16 bits, products summed modulo 2**32, and sums to results.

See `cnml.ukernels.winograd_integers` for the numbers.
"""
from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import dot_kind, isa
from cnml.ukernels.conv_qs8 import CODES, NOTHING
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.epilogue_x8 import activate_codes, fold, is_easy, limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot2 import add_products, load_word_splat, load_words
from cnml.ukernels.simd.dot4 import I16, ints
from cnml.ukernels.simd.interleave import cut
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, at, pointer, word
from cnml.ukernels.winograd_f32 import FETCH
from cnml.ukernels.winograd_integers import INPUT_TRANSFORM, INVERSE, SHIFT, TILE, WINDOW

LANES = isa().lanes
#: channels of a vector of transformed inputs
CHANNELS = 2 * LANES
_KIND = dot_kind()
_UNROLL = 4


class InputWords(NamedTuple):
    """Integer operands of the input transform; addresses and steps are in bytes."""

    window: Any         # codes: first pixel of the window
    row: Any            # from a row of the window to the next
    pixel: Any
    out: Any            # 16-bit: row of the tile in the first product's operand
    product: Any        # from a product's operand to the next
    vectors: Any        # of channels
    last: Any           # where the last vector begins; it may overlap the one before
    zero: Any           # the code of 0


class ProductWords(NamedTuple):
    """Integer operands of a product tile; addresses and steps are in bytes."""

    rows: Any           # words of two 16-bit integers: first of the MR rows
    row: Any            # from a row to the next
    depth: Any          # words
    weights: Any        # words [depth][NV * lanes]
    out: Any            # 32-bit
    out_row: Any
    ahead: Any          # memory to bring near meanwhile: FETCH lines for every four of depth


class OutputWords(NamedTuple):
    """Integer operands of the output transform; addresses and steps are in bytes."""

    sums: Any           # int32[products][vectors * lanes]
    vectors: Any
    factor: Any         # float32[vectors * lanes]
    bias: Any           # float32[vectors * lanes]
    add: Any            # what is added
    add_row: Any
    add_pixel: Any
    add_kind: Any       # NOTHING, CODES or FLOATS, see `cnml.ukernels.conv_qs8`
    add_zero: Any       # the code of 0, for CODES
    out: Any
    out_row: Any
    out_pixel: Any
    mode: Any           # activation, see epilogue_f32
    zero: Any           # the code of 0 in the output
    bounded: Any        # see `cnml.ukernels.conv_qs8`


class OutputFloats(NamedTuple):
    """float32 operands of the output transform, as of `cnml.ukernels.conv_qs8`."""

    low: Any
    high: Any
    add_factor: Any
    least: Any
    most: Any


def _times(bd: ir.IRBuilder, factor: int, x: ir.Value) -> ir.Value:
    return bd.mul(x, ir.Constant(x.type, [factor] * x.type.count))


def _input_line(bd: ir.IRBuilder, d: list[ir.Value]) -> list[ir.Value]:
    """B^T d, see `winograd_integers`."""
    a, b, c, e = (bd.sub(d[i], d[j]) for i, j in ((4, 2), (3, 1), (2, 0), (5, 3)))
    a2, b2 = bd.add(a, a), bd.add(b, b)
    p, q = bd.sub(a2, _times(bd, 3, d[3])), bd.sub(b2, _times(bd, 3, d[2]))
    first, last = bd.sub(a, c), bd.sub(e, b)
    return [bd.sub(bd.add(first, first), bd.add(b2, b)), bd.sub(bd.sub(ir.Constant(a.type, [0] * a.type.count), p), q), bd.sub(p, q),
            bd.add(a2, b), bd.sub(b2, a), bd.sub(bd.add(last, last), bd.add(a2, a))]


def _output_line(bd: ir.IRBuilder, m: list[ir.Value]) -> list[ir.Value]:
    """A^T m, see `winograd_integers`."""
    s, d = (_times(bd, 5, op(m[1], m[2])) for op in (bd.add, bd.sub))
    return [bd.add(bd.add(s, _times(bd, 15, m[0])), bd.add(m[3], _times(bd, 8, m[4]))),
            bd.add(d, _times(bd, 2, bd.sub(m[3], _times(bd, 2, m[4])))),
            bd.add(s, _times(bd, 2, bd.add(_times(bd, 2, m[3]), m[4]))),
            bd.add(bd.add(d, _times(bd, 15, m[5])), bd.sub(_times(bd, 8, m[3]), m[4]))]


@intrinsic
def winograd_input_qs8(typingctx, words):  # type: ignore[no-untyped-def]
    """out[product][channel] = B^T (window - zero) B for all channels of one window."""
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = InputWords(*(bd.extract_value(args[0], i) for i in range(len(InputWords._fields))))
        window, out, wide = pointer(bd, w.window), pointer(bd, w.out), ir.VectorType(I16, CHANNELS)
        # what the code of 0 adds to a transformed window: the sums of the rows of B^T, multiplied
        sums = INPUT_TRANSFORM.sum(1)
        with loop(bd, word(0), w.vectors, 1) as i:
            offset = bd.mul(i, word(CHANNELS))
            offset = bd.select(bd.icmp_signed("<", w.last, offset), w.last, offset)
            first, to = at(bd, window, offset), at(bd, out, bd.mul(offset, word(2)))
            lines = []
            for x in range(WINDOW):
                start = at(bd, first, bd.mul(w.pixel, word(x)))
                lines.append(_input_line(bd, [bd.zext(vec_x8.load_bytes(bd, at(bd, start, bd.mul(w.row, word(y))), CHANNELS), wide)
                                              for y in range(WINDOW)]))
            for y in range(WINDOW):
                for x, value in enumerate(_input_line(bd, [line[y] for line in lines])):
                    if sums[y] * sums[x]:
                        more = bd.mul(bd.trunc(w.zero, I16), ir.Constant(I16, int(sums[y] * sums[x])))
                        value = bd.sub(value, vec_x8.splat_integer(bd, more, CHANNELS))
                    bd.store(value, at(bd, to, bd.mul(w.product, word(y * WINDOW + x))), align=2)
        return context.get_dummy_value()

    return types.void(types.UniTuple(types.intp, len(InputWords._fields))), codegen


@intrinsic(prefer_literal=True)
def winograd_product_qs8(typingctx, mr, nv, words):  # type: ignore[no-untyped-def]
    """out[i] = sum over depth of both products of rows[i][k] and weights[k] for MR rows and NV vectors."""
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nv)):
        raise TypingError(f"winograd_product_qs8 needs its tile as constants, got {mr} x {nv}")
    rows, vectors = mr.literal_value, nv.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = ProductWords(*(bd.extract_value(args[2], i) for i in range(len(ProductWords._fields))))
        sums = [[Cell(bd, ints(LANES), ir.Constant(ints(LANES), [0] * LANES)) for _ in range(vectors)] for _ in range(rows)]
        inputs = [at(bd, pointer(bd, w.rows), bd.mul(w.row, word(i))) for i in range(rows)]
        whole = bd.and_(w.depth, word(-_UNROLL))
        for start, stop, steps in ((word(0), whole, _UNROLL), (whole, w.depth, 1)):
            with loop(bd, start, stop, steps) as k:
                panel, offset = at(bd, pointer(bd, w.weights), bd.mul(k, word(4 * vectors * LANES))), bd.mul(k, word(4))
                for line in range(FETCH if steps == _UNROLL else 0):
                    v.fetch(bd, at(bd, pointer(bd, w.ahead), bd.add(bd.mul(k, word(64 * FETCH // _UNROLL)), word(64 * line))))
                for step in range(steps):
                    _step(bd, sums, at(bd, panel, 4 * LANES * vectors * step), [at(bd, at(bd, x, offset), 4 * step) for x in inputs])
        for i, cells in enumerate(sums):
            base = at(bd, pointer(bd, w.out), bd.mul(w.out_row, word(i)))
            for j, cell in enumerate(cells):
                bd.store(cell.get(), at(bd, base, 4 * LANES * j), align=4)
        return context.get_dummy_value()

    return types.void(mr, nv, types.UniTuple(types.intp, len(ProductWords._fields))), codegen


def _step(bd: ir.IRBuilder, sums: list[list[Cell]], panel: ir.Value, inputs: list[ir.Value]) -> None:
    row = [load_words(bd, at(bd, panel, 4 * LANES * j), LANES) for j in range(len(sums[0]))]
    for ptr, cells in zip(inputs, sums, strict=True):
        x = load_word_splat(bd, ptr, LANES)
        for cell, b in zip(cells, row, strict=True):
            cell.set(add_products(bd, _KIND, cell.get(), x, b))


@intrinsic(prefer_literal=True)
def winograd_output_qs8(typingctx, item, words, floats):  # type: ignore[no-untyped-def]
    """out[pixel][channel] = activation(factor * y + bias + add_factor * add) for a tile and all channels of a block, where 900 * y = A^T sums A
    modulo 2**32; each operation on floats is rounded by itself.

    `item` is the bytes of a result, see `cnml.ukernels.conv_qs8`.
    """
    if not isinstance(item, types.IntegerLiteral):
        raise TypingError(f"winograd_output_qs8 needs the size of its results as a constant, got {item}")
    size = item.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = OutputWords(*(bd.extract_value(args[1], i) for i in range(len(OutputWords._fields))))
        f = OutputFloats(*(bd.extract_value(args[2], i) for i in range(len(OutputFloats._fields))))
        step = bd.mul(w.vectors, word(4 * LANES))
        cells = [[Cell(bd, v.vec(LANES)) for _ in range(TILE)] for _ in range(TILE)]
        with loop(bd, word(0), w.vectors, 1) as i:
            first = at(bd, pointer(bd, w.sums), bd.mul(i, word(4 * LANES)))
            lines = []
            for x in range(WINDOW):
                sums = [load_words(bd, at(bd, first, bd.mul(step, word(y * WINDOW + x))), LANES) for y in range(WINDOW)]
                lines.append(_output_line(bd, sums))
            _finish(bd, w, f, i, [_output_line(bd, [line[y] for line in lines]) for y in range(TILE)], cells, size)
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.intp, len(OutputWords._fields)), types.UniTuple(types.float32, len(OutputFloats._fields))
    return types.void(item, words_type, floats_type), codegen


def _finish(bd: ir.IRBuilder, w: OutputWords, f: OutputFloats, i: ir.Value, results: list[list[ir.Value]], cells: list[list[Cell]],
            item: int) -> None:
    """Floats, bias, what is added, activation, codes if asked for, stores, of vector i of all pixels of a tile."""
    scaled = partial(vec_x8.scaled, bd) if item == 1 else lambda x: x
    factor, bias = (scaled(v.load(bd, at(bd, pointer(bd, p), bd.mul(i, word(4 * LANES))), LANES)) for p in (w.factor, w.bias))
    for line, row in zip(results, cells, strict=True):
        for x, cell in zip(line, row, strict=True):
            y = bd.ashr(_times(bd, INVERSE, x), ir.Constant(x.type, [SHIFT] * LANES))
            cell.set(bd.fadd(v.multiply_rounded(bd, bd.sitofp(y, v.vec(LANES)), factor), bias))
    with bd.if_then(bd.icmp_signed("!=", w.add_kind, word(NOTHING)), likely=False):
        _add(bd, w, v.splat(bd, scaled(f.add_factor), LANES), i, cells)
    out, every = at(bd, pointer(bd, w.out), bd.mul(i, word(item * LANES))), [cell for row in cells for cell in row]
    places = [at(bd, out, bd.add(bd.mul(w.out_row, word(y)), bd.mul(w.out_pixel, word(x)))) for y in range(TILE) for x in range(TILE)]
    if item == 4:
        activate(bd, w.mode, (f.low, f.high), every, LANES)
        for cell, place in zip(every, places, strict=True):
            v.store(bd, cell.get(), place)
        return
    mode, held = fold(bd, w.mode, (f.low, f.high), limits(bd, f.least, f.most, w.zero))
    with bd.if_else(is_easy(bd, w.bounded, mode, held)) as (easy, other):
        for branch, easily in ((easy, True), (other, False)):
            with branch:
                if not easily:
                    activate_codes(bd, mode, (f.low, f.high), every)
                for k in range(0, len(every), 4):
                    codes = vec_x8.codes_of(bd, [cell.get() for cell in every[k:k + 4]], held, easy=easily)
                    for j in range(4):
                        vec_x8.store_codes(bd, cut(bd, codes, LANES * j, LANES), places[k + j])


def _add(bd: ir.IRBuilder, w: OutputWords, factor: ir.Value, i: ir.Value, cells: list[list[Cell]]) -> None:
    """What is added, codes or floats."""
    zero = bd.trunc(w.add_zero, I32)
    with bd.if_else(bd.icmp_signed("==", w.add_kind, word(CODES))) as (codes, floats):
        for branch, size in ((codes, 1), (floats, 4)):
            with branch:
                start = at(bd, pointer(bd, w.add), bd.mul(i, word(size * LANES)))
                for y, row in enumerate(cells):
                    for x, cell in enumerate(row):
                        here = at(bd, start, bd.add(bd.mul(w.add_row, word(y)), bd.mul(w.add_pixel, word(x))))
                        more = v.load(bd, here, LANES) if size == 4 else vec_x8.to_floats(bd, vec_x8.load_ints(bd, here, LANES), zero, LANES)
                        cell.set(bd.fadd(cell.get(), v.multiply_rounded(bd, more, factor)))

"""Pieces of the INT8 convolutions that skip weights: lanes are pixels, so that a weight of one output is a word for all lanes.

Inputs become rows of a panel, one for each word of four input channels (`panel_rows`); every output walks along the words that it has weights for
(`walk_rows`); its sums end as those of the dense tiles do (`end_rows`) and go back to the pixels (`pixel_rows`). Rows are a `pitch` of bytes apart.
"""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnml.cpu import dot_kind, isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.epilogue_x8 import activate_codes, fold, is_easy, limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import I16, Dot, ints, splat_word
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import BYTE, I32, I64, PTR, at, load_word, pointer, word
from cnml.ukernels.simd.transpose import columns_of

LANES = isa().lanes
DOT = Dot(dot_kind(), LANES)
#: 32-bit words that hold the four weights of a word as `dot_kind` multiplies them
WEIGHT_WORDS: int = {"vnni": 1, "pairs": 2, "plain": 4}[DOT.kind]
#: whether results of fewer channels than there are lanes leave alone the bytes behind them
MASKED = LANES == 16
#: vectors of pixels that can be walked together
MOST_VECTORS = 8
QUAD = 4
#: what is added to the result before the activation
NOTHING, CODES, FLOATS = range(3)


@intrinsic
def panel_rows(typingctx, pointers, shift, n, out, pitch):  # type: ignore[no-untyped-def]
    """Row k of `out` becomes word k of LANES pixels, for n words; pixels lie at int64[LANES] `pointers` and `shift` bytes behind them."""
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        table, shift, n, out, pitch = args
        pixels = [at(bd, pointer(bd, load_word(bd, pointer(bd, table), i)), shift) for i in range(LANES)]
        rows = pointer(bd, out)
        with loop(bd, word(0), n, QUAD) as k:
            _four_rows(bd, pixels, rows, pitch, k)
        with bd.if_then(bd.icmp_signed("!=", bd.and_(n, word(QUAD - 1)), word(0))):
            with bd.if_else(bd.icmp_signed(">=", n, word(QUAD))) as (again, few):
                with again:  # the last four once more
                    _four_rows(bd, pixels, rows, pitch, bd.sub(n, word(QUAD)))
                with few, loop(bd, word(0), n, 1) as k:
                    row = ir.Constant(ints(LANES), ir.Undefined)
                    for i, p in enumerate(pixels):
                        row = bd.insert_element(row, bd.load(at(bd, p, bd.mul(k, word(4))), align=1, typ=I32), ir.Constant(I32, i))
                    bd.store(row, at(bd, rows, bd.mul(k, pitch)), align=4)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), codegen


def _four_rows(bd: ir.IRBuilder, pixels: list[ir.Value], rows: ir.Value, pitch: ir.Value, k: ir.Value) -> None:
    for i, row in enumerate(columns_of(bd, [at(bd, p, bd.mul(k, word(4))) for p in pixels])):
        bd.store(row, at(bd, rows, bd.mul(bd.add(k, word(i)), pitch)), align=4)


class WalkWords(NamedTuple):
    """Operands of `walk_rows`; addresses, and bytes."""

    outputs: Any        # int32[channels][2]: index of an output, number of its words
    entries: Any        # the words of the outputs behind each other: offset of the panel's row, and WEIGHT_WORDS of weights
    channels: Any
    panel: Any
    start: Any          # int32 of every output that its sums start from
    fresh: Any          # whether they do; else from what they are
    sums: Any           # rows of int32, one for each output
    pitch: Any
    vectors: Any        # of a row, 1 to MOST_VECTORS


@intrinsic
def walk_rows(typingctx, words):  # type: ignore[no-untyped-def]
    """sums[output] = start + the products of its words with their rows of the panel."""
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = WalkWords(*(bd.extract_value(args[0], i) for i in range(len(WalkWords._fields))))
        for n in range(1, MOST_VECTORS + 1):
            with bd.if_then(bd.icmp_signed("==", w.vectors, word(n))):
                _walk(bd, w, n)
        return context.get_dummy_value()

    return types.void(types.UniTuple(types.intp, len(WalkWords._fields))), codegen


def _walk(bd: ir.IRBuilder, w: WalkWords, vectors: int) -> None:
    step, outputs, panel = 4 * (1 + WEIGHT_WORDS), pointer(bd, w.outputs), pointer(bd, w.panel)
    entry = Cell(bd, PTR, pointer(bd, w.entries))
    with loop(bd, word(0), w.channels, 1) as i:
        output, count = (bd.sext(bd.load(at(bd, at(bd, outputs, bd.mul(i, word(8))), 4 * part), align=4, typ=I32), I64) for part in (0, 1))
        row = at(bd, pointer(bd, w.sums), bd.mul(output, w.pitch))
        sums = [Cell(bd, ints(LANES)) for _ in range(vectors)]
        with bd.if_else(bd.icmp_signed("!=", w.fresh, word(0))) as (new, old):
            with new:
                start = splat_word(bd, bd.load(at(bd, pointer(bd, w.start), bd.mul(output, word(4))), align=4, typ=I32), LANES)
                for cell in sums:
                    cell.set(start)
            with old:
                for j, cell in enumerate(sums):
                    cell.set(bd.load(at(bd, row, 4 * LANES * j), align=4, typ=ints(LANES)))
        first = entry.get()
        with loop(bd, word(0), count, 1) as k:
            _multiply(bd, at(bd, first, bd.mul(k, word(step))), panel, sums)
        entry.set(at(bd, first, bd.mul(count, word(step))))
        for j, cell in enumerate(sums):
            bd.store(cell.get(), at(bd, row, 4 * LANES * j), align=4)


def _multiply(bd: ir.IRBuilder, entry: ir.Value, panel: ir.Value, sums: list[Cell]) -> None:
    """One word of weights times its row."""
    row = at(bd, panel, bd.zext(bd.load(entry, align=4, typ=I32), I64))
    kinds = {"vnni": ir.VectorType(BYTE, 4 * LANES), "pairs": ir.VectorType(I16, 2 * LANES), "plain": ints(LANES)}
    splats = [splat_word(bd, bd.load(at(bd, entry, 4 * (1 + i)), align=4, typ=I32), LANES) for i in range(WEIGHT_WORDS)]
    weights = [bd.bitcast(s, kinds[DOT.kind]) for s in splats]
    for j, cell in enumerate(sums):
        x = DOT.operands(bd, bd.load(at(bd, row, 4 * LANES * j), align=4, typ=ints(LANES)))
        cell.set(DOT.add(bd, cell.get(), x, weights))


class EndWords(NamedTuple):
    """Integer operands of `end_rows`; addresses, and bytes."""

    sums: Any
    pitch: Any
    vectors: Any        # of a row
    quads: Any          # of outputs
    factor: Any         # float32 of every output: for results of one byte times vec_x8.SCALE
    bias: Any           # the same
    more: Any           # what is added, as rows: of four outputs for CODES, of one for FLOATS
    add_kind: Any       # NOTHING, CODES or FLOATS
    add_zero: Any       # the code of 0, for CODES
    item: Any           # bytes of a result, 1 or 4
    mode: Any           # activation, see epilogue_f32
    zero: Any           # the code of 0 in the output
    bounded: Any        # see `cnml.ukernels.conv_qs8.TileWords`


class EndFloats(NamedTuple):
    """float32 operands of `end_rows`, as of `cnml.ukernels.conv_qs8`."""

    low: Any
    high: Any
    add_factor: Any
    least: Any
    most: Any


@intrinsic
def end_rows(typingctx, words, floats):  # type: ignore[no-untyped-def]
    """activation(factor * sums + bias + add_factor * more) in place: a row of floats for each output, or, of results of one byte, words of codes of
    four outputs in the first of their four rows. Each operation on floats is rounded by itself.
    """
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = EndWords(*(bd.extract_value(args[0], i) for i in range(len(EndWords._fields))))
        f = EndFloats(*(bd.extract_value(args[1], i) for i in range(len(EndFloats._fields))))
        with bd.if_else(bd.icmp_signed("==", w.item, word(4))) as (floats, codes):
            with floats, loop(bd, word(0), w.quads, 1) as g, loop(bd, word(0), w.vectors, 1) as i:
                rows, cells = _ended(bd, w, v.splat(bd, f.add_factor, LANES), g, i)
                activate(bd, w.mode, (f.low, f.high), cells, LANES)
                for row, cell in zip(rows, cells, strict=True):
                    v.store(bd, cell.get(), row)
            with codes:
                _end_codes(bd, w, f)
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.intp, len(EndWords._fields)), types.UniTuple(types.float32, len(EndFloats._fields))
    return types.void(words_type, floats_type), codegen


def _end_codes(bd: ir.IRBuilder, w: EndWords, f: EndFloats) -> None:
    mode, held = fold(bd, w.mode, (f.low, f.high), limits(bd, f.least, f.most, w.zero))
    add_factor = v.splat(bd, vec_x8.scaled(bd, f.add_factor), LANES)
    order = [run + 4 * output + pixel for run in range(0, 4 * LANES, 16) for pixel in range(4) for output in range(4)]
    by_pixel = ir.Constant(ints(4 * LANES), order)
    with bd.if_else(is_easy(bd, w.bounded, mode, held)) as (easy, other):
        for branch, easily in ((easy, True), (other, False)):
            with branch, loop(bd, word(0), w.quads, 1) as g, loop(bd, word(0), w.vectors, 1) as i:
                rows, cells = _ended(bd, w, add_factor, g, i)
                if not easily:
                    activate_codes(bd, mode, (f.low, f.high), cells)
                codes = vec_x8.codes_of(bd, [cell.get() for cell in cells], held, interleaved=True, easy=easily)
                bd.store(bd.shuffle_vector(codes, codes, by_pixel), rows[0], align=4)


def _ended(bd: ir.IRBuilder, w: EndWords, add_factor: ir.Value, g: ir.Value, i: ir.Value) -> tuple[list[ir.Value], list[Cell]]:
    """Addresses and values of vector i of the rows of four outputs before their activation."""
    first, here = bd.mul(g, word(QUAD)), bd.mul(i, word(4 * LANES))
    rows = [at(bd, at(bd, pointer(bd, w.sums), here), bd.mul(bd.add(first, word(k)), w.pitch)) for k in range(QUAD)]
    factors, biases = (at(bd, pointer(bd, p), bd.mul(first, word(4))) for p in (w.factor, w.bias))
    cells = []
    for k, row in enumerate(rows):
        x = bd.sitofp(bd.load(row, align=4, typ=ints(LANES)), v.vec(LANES))
        factor, bias = (v.load_splat(bd, at(bd, p, 4 * k), LANES) for p in (factors, biases))
        cells.append(Cell(bd, v.vec(LANES), bd.fadd(v.multiply_rounded(bd, x, factor), bias)))
    with bd.if_then(bd.icmp_signed("!=", w.add_kind, word(NOTHING)), likely=False):
        _add(bd, w, add_factor, (g, here), cells)
    return rows, cells


def _add(bd: ir.IRBuilder, w: EndWords, factor: ir.Value, where: tuple[ir.Value, ir.Value], cells: list[Cell]) -> None:
    """What is added, codes or floats."""
    (g, here), byte = where, ir.Constant(ints(LANES), [255] * LANES)
    more = at(bd, pointer(bd, w.more), here)
    with bd.if_else(bd.icmp_signed("==", w.add_kind, word(CODES))) as (codes, floats):
        with codes:
            four = bd.load(at(bd, more, bd.mul(g, w.pitch)), align=4, typ=ints(LANES))
            for i, cell in enumerate(cells):
                part = bd.and_(bd.lshr(four, ir.Constant(ints(LANES), [8 * i] * LANES)), byte)
                x = vec_x8.to_floats(bd, part, bd.trunc(w.add_zero, I32), LANES)
                cell.set(bd.fadd(cell.get(), v.multiply_rounded(bd, x, factor)))
        with floats:
            for i, cell in enumerate(cells):
                x = v.load(bd, at(bd, more, bd.mul(bd.add(bd.mul(g, word(QUAD)), word(i)), w.pitch)), LANES)
                cell.set(bd.fadd(cell.get(), v.multiply_rounded(bd, x, factor)))


@intrinsic
def pixel_rows(typingctx, rows, pitch, pixels, count, out, stride, n):  # type: ignore[no-untyped-def]
    """The first n bytes (all, unless MASKED) of column i of LANES rows of words go to out + stride * pixels[i], for `count` columns rounded up to
    QUAD; pixels are int64.
    """
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        rows, pitch, pixels, count, out, stride, n = args
        base, table, step = pointer(bd, rows), pointer(bd, pixels), bd.mul(pitch, word(QUAD))
        quads = [at(bd, base, bd.mul(step, word(i))) for i in range(LANES // QUAD)]
        with loop(bd, word(0), bd.add(count, word(QUAD - 1)), QUAD) as first:
            here = [at(bd, q, bd.mul(first, word(4))) for q in quads]
            columns = columns_of(bd, [at(bd, q, bd.mul(pitch, word(i))) for q in here for i in range(QUAD)])
            for i, column in enumerate(columns):
                pixel = load_word(bd, table, bd.add(first, word(i)))
                vec_x8.store_columns(bd, bd.bitcast(column, ir.VectorType(BYTE, 4 * LANES)), at(bd, pointer(bd, out), bd.mul(pixel, stride)),
                                     n if MASKED else None)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), codegen

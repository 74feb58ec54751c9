"""Register tile of the INT8 convolutions: MR pixels times NV vectors of output channels, four input channels a step."""
from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import dot_kind, isa
from cnml.ukernels.conv_f32 import LINE, tap_shift
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.epilogue_x8 import activate_codes, fold, is_easy, limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import Dot, ints
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, PTR, at, load_word, pointer, prefetch, word

LANES = isa().lanes
DOT = Dot(dot_kind(), LANES)
#: whether a tile leaves alone the bytes behind its channels, in what is added and in what it stores
MASKED = LANES == 16
UNROLL = 4
LINES_AHEAD = 2
#: what is added to the result before the activation
NOTHING, CODES, FLOATS = range(3)


class TileWords(NamedTuple):
    """Integer operands of a tile, in order; addresses and strides are in bytes."""

    pointers: Any       # address of int64[MR]: each pixel's input, or with a step int64[ntaps][MR]
    step: Any           # bytes between the pointers of two taps; 0 when they are the same
    offsets: Any        # address of int64[ntaps] to add to the pointers; not read when there is a step
    ntaps: Any
    offset: Any         # added to every pointer
    depth: Any          # words of four input channels of a tap
    weights: Any        # [ntaps][depth][NV] vectors, see `dot4.arranged`
    pixels: Any         # address of int64[MR]: index of each output pixel
    start: Any          # int32[NV * lanes] that the sums start from
    factor: Any         # float32[NV * lanes]
    bias: Any           # float32[NV * lanes]
    add: Any            # what is added
    add_stride: Any
    add_kind: Any       # NOTHING, CODES or FLOATS
    add_zero: Any       # the code of 0, for CODES
    out: Any
    out_stride: Any
    columns: Any        # channels that exist; only `MASKED` tiles may have fewer than all
    mode: Any           # activation, see epilogue_f32
    zero: Any           # the code of 0 in the output
    bounded: Any        # for results of one byte: whether no sum, times its factor and so on, can exceed 2**29
    ahead: Any          # from a weight to one that a later tile will read and this one asks for; 0 for none


class TileFloats(NamedTuple):
    """float32 operands of a tile."""

    low: Any            # of the activation
    high: Any
    add_factor: Any     # units of the output per unit of what is added
    least: Any          # smallest and largest result in codes, before the code of 0 is added
    most: Any


@intrinsic(prefer_literal=True)
def conv_tile_qs8(typingctx, mr, nv, item, words, floats):  # type: ignore[no-untyped-def]
    """out[pixel] = activation(factor * (start + sum over taps and depth of input * weights) + bias + add_factor * add) for MR pixels and NV vectors
    of channels; each operation on floats is rounded by itself.

    `item` is the bytes of a result: 4 for float32, 1 for codes, which are round(clamp(result, least, most)) + zero with halves away from zero.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nv, item)):
        raise TypingError(f"conv_tile_qs8 needs its tile as constants, got {mr} x {nv}, {item} bytes a result")
    rows, vectors, size = mr.literal_value, nv.literal_value, item.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = TileWords(*(bd.extract_value(args[3], i) for i in range(len(TileWords._fields))))
        f = TileFloats(*(bd.extract_value(args[4], i) for i in range(len(TileFloats._fields))))
        table = pointer(bd, w.pixels)
        outs = [at(bd, pointer(bd, w.out), bd.mul(load_word(bd, table, i), w.out_stride)) for i in range(rows)]
        for out in outs:
            for line in range(0, vectors * LANES * size, LINE):
                prefetch(bd, at(bd, out, line), write=True)
        start = [bd.load(at(bd, pointer(bd, w.start), 4 * LANES * j), align=4, typ=ints(LANES)) for j in range(vectors)]
        sums = [[Cell(bd, ints(LANES), x) for x in start] for _ in range(rows)]
        _accumulate(bd, w, sums)
        _finish(bd, w, f, sums, outs, size)
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.intp, len(TileWords._fields)), types.UniTuple(types.float32, len(TileFloats._fields))
    return types.void(mr, nv, item, words_type, floats_type), codegen


def _accumulate(bd: ir.IRBuilder, w: TileWords, sums: list[list[Cell]]) -> None:
    """The products: taps outside, depth inside, several words unrolled."""
    vectors = len(sums[0])
    weights = Cell(bd, PTR, pointer(bd, w.weights))
    table = pointer(bd, w.pointers)
    with loop(bd, word(0), w.ntaps, 1) as tap:
        row, shift = at(bd, table, bd.mul(tap, w.step)), tap_shift(bd, w, tap)
        inputs = [at(bd, pointer(bd, load_word(bd, row, i)), shift) for i in range(len(sums))]
        whole = bd.and_(w.depth, word(-UNROLL))
        for start, stop, steps in ((word(0), whole, UNROLL), (whole, w.depth, 1)):
            with loop(bd, start, stop, steps) as k:
                panel = weights.get()
                if steps > 1:
                    for i in range(LINES_AHEAD):
                        prefetch(bd, at(bd, at(bd, panel, w.ahead), LINE * i))
                for step in range(steps):
                    _step(bd, sums, at(bd, panel, 4 * LANES * vectors * step), [at(bd, at(bd, x, bd.mul(k, word(4))), 4 * step) for x in inputs])
                weights.set(at(bd, panel, 4 * LANES * vectors * steps))


def _step(bd: ir.IRBuilder, sums: list[list[Cell]], panel: ir.Value, inputs: list[ir.Value]) -> None:
    row = [DOT.weights(bd, at(bd, panel, 4 * LANES * j)) for j in range(len(sums[0]))]
    for ptr, cells in zip(inputs, sums, strict=True):
        x = DOT.inputs(bd, ptr)
        for cell, b in zip(cells, row, strict=True):
            cell.set(DOT.add(bd, cell.get(), x, b))


def _finish(bd: ir.IRBuilder, w: TileWords, f: TileFloats, sums: list[list[Cell]], outs: list[ir.Value], item: int) -> None:
    """Floats, bias, what is added, activation, codes if asked for, stores: all sums stay in registers until then."""
    vectors = range(len(sums[0]))
    scaled = partial(vec_x8.scaled, bd) if item == 1 else lambda x: x
    results = [[Cell(bd, v.vec(LANES)) for _ in vectors] for _ in sums]
    for j in vectors:
        factor, bias = (scaled(v.load(bd, at(bd, pointer(bd, p), 4 * LANES * j), LANES)) for p in (w.factor, w.bias))
        for row, cells in zip(sums, results, strict=True):
            cells[j].set(bd.fadd(v.multiply_rounded(bd, bd.sitofp(row[j].get(), v.vec(LANES)), factor), bias))
    masks = [vec_x8.column_mask(bd, bd.sub(w.columns, word(LANES * j)), LANES) if MASKED else None for j in vectors]
    with bd.if_then(bd.icmp_signed("!=", w.add_kind, word(NOTHING)), likely=False):
        _add(bd, w, v.splat(bd, scaled(f.add_factor), LANES), results, masks)
    every = [cell for cells in results for cell in cells]
    if item == 4:
        activate(bd, w.mode, (f.low, f.high), every, LANES)
        for cells, out in zip(results, outs, strict=True):
            for j, (cell, mask) in enumerate(zip(cells, masks, strict=True)):
                v.store_masked(bd, cell.get(), at(bd, out, 4 * LANES * j), mask)
        return
    mode, held = fold(bd, w.mode, (f.low, f.high), limits(bd, f.least, f.most, w.zero))
    with bd.if_else(is_easy(bd, w.bounded, mode, held)) as (easy, other):
        for branch, easily in ((easy, True), (other, False)):
            with branch:
                if not easily:
                    activate_codes(bd, mode, (f.low, f.high), every)
                for cells, out in zip(results, outs, strict=True):
                    codes = vec_x8.codes_of(bd, [cell.get() for cell in cells], held, easy=easily)
                    vec_x8.store_columns(bd, codes, out, w.columns if MASKED else None)


def _add(bd: ir.IRBuilder, w: TileWords, factor: ir.Value, results: list[list[Cell]], masks: list[ir.Value | None]) -> None:
    """What is added, codes or floats."""
    zero, table = bd.trunc(w.add_zero, I32), pointer(bd, w.pixels)
    with bd.if_else(bd.icmp_signed("==", w.add_kind, word(CODES))) as (codes, floats):
        for branch, size in ((codes, 1), (floats, 4)):
            with branch:
                for i, cells in enumerate(results):
                    base = at(bd, pointer(bd, w.add), bd.mul(load_word(bd, table, i), w.add_stride))
                    for j, (cell, mask) in enumerate(zip(cells, masks, strict=True)):
                        here = at(bd, base, size * LANES * j)
                        x = v.load_masked(bd, here, LANES, mask) if size == 4 else vec_x8.to_floats(bd, vec_x8.load_ints(bd, here, LANES, mask), zero,
                                                                                                    LANES)
                        cell.set(bd.fadd(cell.get(), v.multiply_rounded(bd, x, factor)))

"""What sparse float32 convolutions do in registers: pixels are the lanes, a weight that is not zero meets all of them in one multiply-add a vector.

A *panel* holds inputs as [channel][vector of pixels], so its rows are made by transposing pixels whose channels lie side by side; the sums are
[output][vector of pixels] and are transposed back as they are stored.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, I64, at, load_word, pointer, word
from cnml.ukernels.simd.square import transposed

LANES = isa().lanes
VECTOR = 4 * LANES  # bytes
UNROLL = 2
PAIR = 8            # bytes of a weight and its place


class RowWords(NamedTuple):
    """Integer operands of `sparse_row`; addresses and strides are in bytes."""

    row: Any     # address of int32 output, then (int32 bytes into the panel, float32 weight) for every weight
    count: Any   # of weights
    panel: Any
    step: Any    # from the inputs of a vector of pixels to those of the next
    sums: Any    # float32 [output][NV * lanes]
    first: Any   # not 0: the sums start at zero


@intrinsic(prefer_literal=True)
def sparse_row(typingctx: Any, nv: Any, words: Any) -> Any:
    """sums[output] += sum over the row's weights of weight * panel[place], for NV vectors of pixels."""
    if not isinstance(nv, types.IntegerLiteral):
        raise TypingError(f"sparse_row needs its number of vectors as a constant, got {nv}")
    vectors = nv.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = RowWords(*(bd.extract_value(args[1], i) for i in range(len(RowWords._fields))))
        row, panel = pointer(bd, w.row), pointer(bd, w.panel)
        output = bd.sext(bd.load(row, align=4, typ=I32), I64)
        target = at(bd, pointer(bd, w.sums), bd.mul(output, word(vectors * VECTOR)))
        sums = [Cell(bd, v.vec(LANES), v.zeros(LANES)) for _ in range(vectors)]
        with bd.if_then(bd.icmp_signed("==", w.first, word(0))):
            for i, cell in enumerate(sums):
                cell.set(v.load(bd, at(bd, target, VECTOR * i), LANES, VECTOR))
        steps = [bd.mul(w.step, word(i)) for i in range(vectors)]
        whole = bd.and_(w.count, word(-UNROLL))
        for start, stop, n in ((word(0), whole, UNROLL), (whole, w.count, 1)):
            with loop(bd, start, stop, n) as k:
                here = at(bd, row, bd.add(bd.mul(k, word(PAIR)), word(4)))
                for step in range(n):
                    place = at(bd, panel, bd.zext(bd.load(at(bd, here, PAIR * step), align=4, typ=I32), I64))
                    weight = v.load_splat(bd, at(bd, here, PAIR * step + 4), LANES)
                    for i, cell in enumerate(sums):
                        cell.set(v.multiply_add(bd, weight, v.load(bd, at(bd, place, steps[i]), LANES, VECTOR), cell.get()))
        for i, cell in enumerate(sums):
            bd.store(cell.get(), at(bd, target, VECTOR * i), align=VECTOR)
        return context.get_dummy_value()

    return types.void(nv, types.UniTuple(types.intp, len(RowWords._fields))), codegen


@intrinsic
def panel_block(typingctx: Any, pointers: Any, offset: Any, out: Any, stride: Any, channels: Any) -> Any:
    """(out + c * stride)[lane] = (pointers[lane] + offset)[c], for as many channels as a vector has lanes, or the fewer there are."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        table, offset, out, stride, channels = pointer(bd, args[0]), args[1], pointer(bd, args[2]), args[3], args[4]
        sources = [at(bd, pointer(bd, load_word(bd, table, i)), offset) for i in range(LANES)]
        targets = [at(bd, out, bd.mul(stride, word(c))) for c in range(LANES)]
        with bd.if_else(bd.icmp_signed(">=", channels, word(LANES))) as (full, part):
            with full:
                for x, target in zip(transposed(bd, [v.load(bd, s, LANES) for s in sources]), targets, strict=True):
                    bd.store(x, target, align=VECTOR)
            with part:
                mask = v.first_lanes(bd, channels, LANES)
                for c, x in enumerate(transposed(bd, [v.load_masked(bd, s, LANES, mask) for s in sources])):
                    with bd.if_then(bd.icmp_signed("<", word(c), channels)):
                        bd.store(x, targets[c], align=VECTOR)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), codegen


class OutWords(NamedTuple):
    """Integer operands of `sums_out`; addresses and strides are in bytes."""

    sums: Any        # a vector of pixels for each of as many outputs as a vector has lanes
    stride: Any      # from one output's sums to the next one's
    bias: Any        # float32 of each output
    pixels: Any      # address of int64[lanes]: index of each pixel, negative where there is none
    whole: Any       # not 0: all pixels are there
    add: Any         # a tensor to add, or 0
    add_stride: Any  # from one pixel to the next
    out: Any
    out_stride: Any
    columns: Any     # outputs that exist
    mode: Any        # activation, see epilogue_f32


@intrinsic
def sums_out(typingctx: Any, words: Any, low: Any, high: Any) -> Any:
    """out[pixel] = activation(sums + bias + add[pixel]) for a square of pixels and outputs; pixels and outputs that do not exist are left alone."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = OutWords(*(bd.extract_value(args[0], i) for i in range(len(OutWords._fields))))
        sums, limits = pointer(bd, w.sums), (args[1], args[2])
        square = transposed(bd, [v.load(bd, at(bd, sums, bd.mul(w.stride, word(c))), LANES, VECTOR) for c in range(LANES)])
        bias, pixels = v.load(bd, pointer(bd, w.bias), LANES), [load_word(bd, pointer(bd, w.pixels), i) for i in range(LANES)]
        cells = [Cell(bd, v.vec(LANES), bd.fadd(x, bias)) for x in square]
        full = bd.and_(bd.icmp_signed("!=", w.whole, word(0)), bd.icmp_signed(">=", w.columns, word(LANES)))
        with bd.if_else(full) as (whole, part):
            with whole:
                _end(bd, w, limits, cells, pixels, None)
            with part:
                _end(bd, w, limits, cells, pixels, v.first_lanes(bd, w.columns, LANES))
        return context.get_dummy_value()

    return types.void(types.UniTuple(types.intp, len(OutWords._fields)), types.float32, types.float32), codegen


def _end(bd: ir.IRBuilder, w: OutWords, limits: tuple[ir.Value, ir.Value], cells: list[Cell], pixels: list[ir.Value], mask: ir.Value | None) -> None:
    """Add, activate and store; with a mask also look whether each pixel is there."""
    def added(cell: Cell, pixel: ir.Value) -> None:
        cell.set(bd.fadd(cell.get(), v.load_masked(bd, at(bd, pointer(bd, w.add), bd.mul(w.add_stride, pixel)), LANES, mask)))

    def stored(cell: Cell, pixel: ir.Value) -> None:
        v.store_masked(bd, cell.get(), at(bd, pointer(bd, w.out), bd.mul(w.out_stride, pixel)), mask)

    def each(f: Callable[[Cell, ir.Value], None]) -> None:
        for cell, pixel in zip(cells, pixels, strict=True):
            if mask is None:
                f(cell, pixel)
            else:
                with bd.if_then(bd.icmp_signed(">=", pixel, word(0))):
                    f(cell, pixel)
    with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
        each(added)
    activate(bd, w.mode, limits, cells, LANES)
    each(stored)

"""Register tile of the float32 convolutions with few outputs: MR pixels times NQ outputs, the vectors lying along the input channels."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.conv_f32 import tap_shift
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import at, load_word, pointer, word

LANES = isa().lanes


class NarrowWords(NamedTuple):
    """Integer operands of a tile, in order; addresses and strides are in bytes."""

    pointers: Any      # address of int64[MR]: each pixel's input, or with a step int64[ntaps][MR]
    step: Any          # bytes between the pointers of two taps; 0 when they are the same
    offsets: Any       # address of int64[ntaps] to add to the pointers; not read when there is a step
    ntaps: Any
    offset: Any        # of the first input channel, added to every pointer
    depth: Any         # input channels of a tap
    weights: Any       # float32 or half [ntaps][vectors of depth][NQ][lanes], zero behind the last channel
    pixels: Any        # address of int64[MR]: index of each output pixel
    columns: Any       # outputs of this tile that exist
    bias: Any          # float32[NQ]
    add: Any           # a tensor to add, or 0
    add_stride: Any
    out: Any
    out_stride: Any
    mode: Any          # activation


@intrinsic(prefer_literal=True)
def narrow_tile(typingctx, mr, nq, item, words, low, high):  # type: ignore[no-untyped-def]
    """out[pixel, q] = activation(bias[q] + add[pixel, q] + sum over taps and depth of input * weights) for the first `columns` outputs.

    `item` is the bytes of a weight. Everything is read before anything is written, so pixels may repeat and `add` may be `out`.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nq, item)):
        raise TypingError(f"narrow_tile needs its tile as constants, got {mr} x {nq}, {item} bytes a weight")
    rows, outputs, size = mr.literal_value, nq.literal_value, item.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = NarrowWords(*(bd.extract_value(args[3], i) for i in range(len(NarrowWords._fields))))
        sums = [[Cell(bd, v.vec(LANES), v.zeros(LANES)) for _ in range(outputs)] for _ in range(rows)]
        _accumulate(bd, w, sums, size)
        _finish(bd, w, sums, (args[4], args[5]))
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(NarrowWords._fields))
    return types.void(mr, nq, item, words_type, types.float32, types.float32), codegen


def _accumulate(bd: ir.IRBuilder, w: NarrowWords, sums: list[list[Cell]], item: int) -> None:
    """Lane by lane: whole vectors of channels, then the rest under a mask."""
    panel_bytes = item * LANES * len(sums[0])
    weights, table = Cell(bd, ir.PointerType(), pointer(bd, w.weights)), pointer(bd, w.pointers)
    whole = bd.and_(w.depth, word(-LANES))
    rest = v.first_lanes(bd, bd.sub(w.depth, whole), LANES)
    with loop(bd, word(0), w.ntaps, 1) as tap:
        row, shift = at(bd, table, bd.mul(tap, w.step)), tap_shift(bd, w, tap)
        inputs = [at(bd, pointer(bd, load_word(bd, row, i)), shift) for i in range(len(sums))]
        for start, stop, step, mask in ((word(0), whole, LANES, None), (whole, w.depth, 1, rest)):
            end = stop if mask is None else bd.select(bd.icmp_signed("<", whole, w.depth), bd.add(whole, word(1)), whole)  # the rest is one step
            with loop(bd, start, end, step) as k:
                panel = weights.get()
                row_weights = [vec_f16.load_stored(bd, at(bd, panel, item * LANES * q), LANES, item) for q in range(len(sums[0]))]
                for base, cells in zip(inputs, sums, strict=True):
                    x = v.load_masked(bd, at(bd, base, bd.mul(k, word(4))), LANES, mask)
                    for cell, b in zip(cells, row_weights, strict=True):
                        cell.set(v.multiply_add(bd, x, b, cell.get()))
                weights.set(at(bd, panel, panel_bytes))


def _finish(bd: ir.IRBuilder, w: NarrowWords, sums: list[list[Cell]], limits: tuple[ir.Value, ir.Value]) -> None:
    """Sum the lanes, add, activate, store."""
    mask = v.first_lanes(bd, w.columns, LANES)
    bias, pixels = v.load_masked(bd, pointer(bd, w.bias), LANES, mask), pointer(bd, w.pixels)
    results = [Cell(bd, v.vec(LANES), bd.fadd(bias, v.gather_sums(bd, [cell.get() for cell in cells], LANES))) for cells in sums]
    with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
        for i, cell in enumerate(results):
            base = at(bd, pointer(bd, w.add), bd.mul(load_word(bd, pixels, i), w.add_stride))
            cell.set(bd.fadd(cell.get(), v.load_masked(bd, base, LANES, mask)))
    activate(bd, w.mode, limits, results, LANES)
    for i, cell in enumerate(results):
        v.store_masked(bd, cell.get(), at(bd, pointer(bd, w.out), bd.mul(load_word(bd, pixels, i), w.out_stride)), mask)

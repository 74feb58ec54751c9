"""Register tile of the float32 depthwise convolutions: MR pixels times NV vectors of channels, each channel with its own weights."""
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


class DepthwiseWords(NamedTuple):
    """Integer operands of a tile, in order; addresses and strides are in bytes."""

    pointers: Any       # address of int64[MR]: each pixel's input, or with a step int64[ntaps][MR]
    step: Any           # bytes between the pointers of two taps; 0 when they are the same
    offsets: Any        # address of int64[ntaps] to add to the pointers; not read when there is a step
    ntaps: Any
    offset: Any        # of the first channel, added to every pointer
    columns: Any       # channels of this tile that exist
    weights: Any       # float32 or half [ntaps][NV * lanes]
    pixels: Any        # address of int64[MR]: index of each output pixel
    bias: Any          # float32[NV * lanes]
    add: Any           # a tensor to add, or 0
    add_stride: Any
    out: Any
    out_stride: Any
    mode: Any          # activation


@intrinsic(prefer_literal=True)
def depthwise_tile(typingctx, mr, nv, item, words, low, high):  # type: ignore[no-untyped-def]
    """out[pixel, c] = activation(bias[c] + add[pixel, c] + sum over taps of input[c] * weights[tap, c]) for the first `columns` channels.

    `item` is the bytes of a weight. Everything is read before anything is written, so pixels may repeat and `add` may be `out`.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nv, item)):
        raise TypingError(f"depthwise_tile needs its tile as constants, got {mr} x {nv}, {item} bytes a weight")
    rows, vectors, size = mr.literal_value, nv.literal_value, item.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = DepthwiseWords(*(bd.extract_value(args[3], i) for i in range(len(DepthwiseWords._fields))))
        with bd.if_else(bd.icmp_signed(">=", w.columns, word(vectors * LANES))) as (full, part):
            with full:
                _tile(bd, w, (args[4], args[5]), rows, size, [None] * vectors)
            with part:
                _tile(bd, w, (args[4], args[5]), rows, size, [v.first_lanes(bd, bd.sub(w.columns, word(j * LANES)), LANES) for j in range(vectors)])
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(DepthwiseWords._fields))
    return types.void(mr, nv, item, words_type, types.float32, types.float32), codegen


def _tile(bd: ir.IRBuilder, w: DepthwiseWords, limits: tuple[ir.Value, ir.Value], rows: int, item: int,
          masks: list[ir.Value | None]) -> None:
    bias, pixels = pointer(bd, w.bias), pointer(bd, w.pixels)
    sums = [[Cell(bd, v.vec(LANES), v.load(bd, at(bd, bias, 4 * LANES * j), LANES)) for j in range(len(masks))] for _ in range(rows)]
    with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
        for i in range(rows):
            base = at(bd, pointer(bd, w.add), bd.mul(load_word(bd, pixels, i), w.add_stride))
            for j, cell in enumerate(sums[i]):
                cell.set(bd.fadd(cell.get(), v.load_masked(bd, at(bd, base, 4 * LANES * j), LANES, masks[j])))
    table, weights = pointer(bd, w.pointers), pointer(bd, w.weights)
    with loop(bd, word(0), w.ntaps, 1) as tap:
        pointers, shift = at(bd, table, bd.mul(tap, w.step)), tap_shift(bd, w, tap)
        panel = at(bd, weights, bd.mul(tap, word(item * LANES * len(masks))))
        row = [vec_f16.load_stored(bd, at(bd, panel, item * LANES * j), LANES, item) for j in range(len(masks))]
        for i in range(rows):
            base = at(bd, pointer(bd, load_word(bd, pointers, i)), shift)
            for j, cell in enumerate(sums[i]):
                cell.set(v.multiply_add(bd, v.load_masked(bd, at(bd, base, 4 * LANES * j), LANES, masks[j]), row[j], cell.get()))
    activate(bd, w.mode, limits, [cell for row in sums for cell in row], LANES)
    for i in range(rows):
        base = at(bd, pointer(bd, w.out), bd.mul(load_word(bd, pixels, i), w.out_stride))
        for j, cell in enumerate(sums[i]):
            v.store_masked(bd, cell.get(), at(bd, base, 4 * LANES * j), masks[j])

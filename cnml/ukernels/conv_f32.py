"""Register tile of the float32 convolutions: MR pixels times NV vectors of output channels."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import at, load_word, pointer, prefetch, word

LANES = isa().lanes
UNROLL = 4
LINE = 64        # bytes of memory that come at once
LINES_AHEAD = 2  # of the weights ahead that are asked for in each unrolled step


class TileWords(NamedTuple):
    """Integer operands of a tile, in order; addresses and strides are in bytes."""

    pointers: Any       # address of int64[MR]: each pixel's input, or with a step int64[ntaps][MR]
    step: Any           # bytes between the pointers of two taps; 0 when they are the same
    offsets: Any        # address of int64[ntaps] to add to the pointers; not read when there is a step
    ntaps: Any
    offset: Any         # added to every pointer
    depth: Any          # input channels of a tap
    weights: Any        # float32 or half [ntaps][depth][NV * lanes]
    pixels: Any         # address of int64[MR]: index of each output pixel
    start: Any          # what the sums start from: bias (stride 0) or the output itself
    start_stride: Any
    add: Any            # a tensor to add at the start, or 0
    add_stride: Any
    out: Any
    out_stride: Any
    mode: Any           # activation, see epilogue_f32
    ahead: Any          # from a weight to one that a later tile will read and this one asks for; 0 for none


@intrinsic(prefer_literal=True)
def conv_tile(typingctx, mr, nv, item, words, low, high):  # type: ignore[no-untyped-def]
    """out[pixel] = activation(start[pixel] + add[pixel] + sum over taps and depth of input * weights) for MR pixels and NV vectors of channels.

    `item` is the bytes of a weight. `low` is LEAKY's slope or CLIP's lower limit, `high` CLIP's upper limit. Pixels may repeat: everything is
    read before anything is written. The lines to be written are asked for first, so that they are near when the sums are done.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nv, item)):
        raise TypingError(f"conv_tile needs its tile as constants, got {mr} x {nv}, {item} bytes a weight")
    rows, vectors, size = mr.literal_value, nv.literal_value, item.literal_value

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = TileWords(*(bd.extract_value(args[3], i) for i in range(len(TileWords._fields))))
        sums = _start(bd, w, rows, vectors)
        _accumulate(bd, w, sums, rows, vectors, size)
        _finish(bd, w, sums, (args[4], args[5]), rows, vectors)
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(TileWords._fields))
    return types.void(mr, nv, item, words_type, types.float32, types.float32), codegen


def _start(bd: ir.IRBuilder, w: TileWords, rows: int, vectors: int) -> list[list[Cell]]:
    """Sums from `start`, plus `add` when there is one."""
    vec = v.vec(LANES)
    table = pointer(bd, w.pixels)
    sums = []
    for i in range(rows):
        out = at(bd, pointer(bd, w.out), bd.mul(load_word(bd, table, i), w.out_stride))
        for j in range(vectors):
            prefetch(bd, at(bd, out, 4 * LANES * j), write=True)
    for i in range(rows):
        base = at(bd, pointer(bd, w.start), bd.mul(load_word(bd, table, i), w.start_stride))
        sums.append([Cell(bd, vec, v.load(bd, at(bd, base, 4 * LANES * j), LANES)) for j in range(vectors)])
    with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
        for i in range(rows):
            base = at(bd, pointer(bd, w.add), bd.mul(load_word(bd, table, i), w.add_stride))
            for j, cell in enumerate(sums[i]):
                cell.set(bd.fadd(cell.get(), v.load(bd, at(bd, base, 4 * LANES * j), LANES)))
    return sums


def _accumulate(bd: ir.IRBuilder, w: TileWords, sums: list[list[Cell]], rows: int, vectors: int, item: int) -> None:
    """The product: taps outside, depth inside, several steps of depth unrolled."""
    weights = Cell(bd, ir.PointerType(), pointer(bd, w.weights))
    table = pointer(bd, w.pointers)
    with loop(bd, word(0), w.ntaps, 1) as tap:
        row, shift = at(bd, table, bd.mul(tap, w.step)), tap_shift(bd, w, tap)
        inputs = [at(bd, pointer(bd, load_word(bd, row, i)), shift) for i in range(rows)]
        whole = bd.and_(w.depth, word(-UNROLL))
        for start, stop, steps in ((word(0), whole, UNROLL), (whole, w.depth, 1)):
            with loop(bd, start, stop, steps) as k:
                panel = weights.get()
                if steps > 1:
                    for i in range(LINES_AHEAD):
                        prefetch(bd, at(bd, at(bd, panel, w.ahead), LINE * i))
                for step in range(steps):
                    _step(bd, sums, panel, inputs, k, step, item)
                weights.set(at(bd, panel, steps * vectors * LANES * item))


def tap_shift(bd: ir.IRBuilder, w: Any, tap: ir.Value) -> ir.Value:
    """Bytes from a pixel's pointer to what it reads under a tap."""
    own = load_word(bd, pointer(bd, w.offsets), tap)
    return bd.add(w.offset, bd.select(bd.icmp_signed("==", w.step, word(0)), own, word(0)))


def _step(bd: ir.IRBuilder, sums: list[list[Cell]], panel: ir.Value, inputs: list[ir.Value], k: ir.Value, step: int, item: int) -> None:
    vectors = len(sums[0])
    row = [vec_f16.load_stored(bd, at(bd, panel, (step * vectors + j) * LANES * item), LANES, item) for j in range(vectors)]
    for base, cells in zip(inputs, sums, strict=True):
        x = v.load_splat(bd, at(bd, at(bd, base, bd.mul(k, word(4))), 4 * step), LANES)
        for cell, b in zip(cells, row, strict=True):
            cell.set(v.multiply_add(bd, x, b, cell.get()))


def _finish(bd: ir.IRBuilder, w: TileWords, sums: list[list[Cell]], limits: tuple[ir.Value, ir.Value], rows: int, vectors: int) -> None:
    """Activation and stores."""
    activate(bd, w.mode, limits, [cell for row in sums for cell in row], LANES)
    table = pointer(bd, w.pixels)
    for i in range(rows):
        base = at(bd, pointer(bd, w.out), bd.mul(load_word(bd, table, i), w.out_stride))
        for j in range(vectors):
            v.store(bd, sums[i][j].get(), at(bd, base, 4 * LANES * j))

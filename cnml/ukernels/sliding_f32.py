"""Register tile of the float32 depthwise convolutions of one step along a line: T neighbouring pixels times NV vectors of channels.

An input that several of the pixels read is loaded once; a kernel line of weights stays in registers while the inputs of that line pass.
"""
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
from cnml.ukernels.simd.pointer import at, load_word, pointer, word

LANES = isa().lanes


class SlidingWords(NamedTuple):
    """Integer operands of a tile, in order; addresses and strides are in bytes."""

    pointers: Any      # address of int64[rows][…]: the pixels of each input line from the tile's first on
    step: Any          # bytes between the pointers of two lines
    rows: Any          # of the kernel
    offset: Any        # of the first channel, added to every pointer
    columns: Any       # channels of this tile that exist
    weights: Any       # float32 or half [rows][KW][NV * lanes]
    count: Any         # pixels of this tile that exist, at least 1
    bias: Any          # float32[NV * lanes]
    add: Any           # a tensor to add at the first pixel, or 0
    add_pixel: Any
    out: Any           # of the first pixel
    out_pixel: Any
    mode: Any          # activation


class SlidingTile(NamedTuple):
    """What a tile is compiled for."""

    width: int     # pixels
    vectors: int   # of channels
    kernel: int    # width of the kernel
    stride: int    # along a line
    item: int      # bytes of a weight


@intrinsic(prefer_literal=True)
def sliding_tile(typingctx, width, nv, kernel, stride, item, words, low, high):  # type: ignore[no-untyped-def]
    """out[i, c] = activation(bias[c] + add[i, c] + sum over rows and k of input[row, i * stride + k, c] * weights[row, k, c]).

    All of `add` is read before anything is written, so it may be `out`.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (width, nv, kernel, stride, item)):
        raise TypingError(f"sliding_tile needs its tile as constants, got {width} x {nv}, kernel {kernel}, stride {stride}, {item} bytes a weight")
    tile = SlidingTile(width.literal_value, nv.literal_value, kernel.literal_value, stride.literal_value, item.literal_value)

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = SlidingWords(*(bd.extract_value(args[5], i) for i in range(len(SlidingWords._fields))))
        limits = args[6], args[7]
        with bd.if_else(bd.icmp_signed(">=", w.columns, word(tile.vectors * LANES))) as (full, part):
            with full:
                _emit(bd, w, limits, tile, [None] * tile.vectors)
            with part:
                _emit(bd, w, limits, tile, [v.first_lanes(bd, bd.sub(w.columns, word(j * LANES)), LANES) for j in range(tile.vectors)])
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(SlidingWords._fields))
    return types.void(width, nv, kernel, stride, item, words_type, types.float32, types.float32), codegen


def _emit(bd: ir.IRBuilder, w: SlidingWords, limits: tuple[ir.Value, ir.Value], tile: SlidingTile, masks: list[ir.Value | None]) -> None:
    bias = pointer(bd, w.bias)
    start = [v.load(bd, at(bd, bias, 4 * LANES * j), LANES) for j in range(tile.vectors)]
    sums = [[Cell(bd, v.vec(LANES), x) for x in start] for _ in range(tile.width)]
    with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
        for i, cells in enumerate(sums):
            base = _pixel(bd, w.add, w.add_pixel, w.count, i)
            for j, cell in enumerate(cells):
                cell.set(bd.fadd(cell.get(), v.load_masked(bd, at(bd, base, 4 * LANES * j), LANES, masks[j])))
    with loop(bd, word(0), w.rows, 1) as row:
        _line(bd, w, row, sums, tile, masks)
    activate(bd, w.mode, limits, [cell for cells in sums for cell in cells], LANES)
    for i in reversed(range(tile.width)):  # pixels that do not exist fall on the last one, which is written after them
        base = _pixel(bd, w.out, w.out_pixel, w.count, i)
        for j, cell in enumerate(sums[i]):
            v.store_masked(bd, cell.get(), at(bd, base, 4 * LANES * j), masks[j])


def _line(bd: ir.IRBuilder, w: SlidingWords, row: ir.Value, sums: list[list[Cell]], tile: SlidingTile, masks: list[ir.Value | None]) -> None:
    """The products of one kernel line."""
    table = at(bd, pointer(bd, w.pointers), bd.mul(row, w.step))
    line = at(bd, pointer(bd, w.weights), bd.mul(row, word(tile.item * LANES * tile.vectors * tile.kernel)))
    weights = [[vec_f16.load_stored(bd, at(bd, line, tile.item * LANES * (k * tile.vectors + j)), LANES, tile.item) for j in range(tile.vectors)]
               for k in range(tile.kernel)]
    for column in range((tile.width - 1) * tile.stride + tile.kernel):
        base = at(bd, pointer(bd, load_word(bd, table, column)), w.offset)
        x = [v.load_masked(bd, at(bd, base, 4 * LANES * j), LANES, mask) for j, mask in enumerate(masks)]
        for i, cells in enumerate(sums):
            k = column - i * tile.stride
            if 0 <= k < tile.kernel:
                for j, cell in enumerate(cells):
                    cell.set(v.multiply_add(bd, x[j], weights[k][j], cell.get()))


def _pixel(bd: ir.IRBuilder, base: ir.Value, step: ir.Value, count: ir.Value, i: int) -> ir.Value:
    """Pixel i, or the last that exists."""
    last = bd.sub(count, word(1))
    index = bd.select(bd.icmp_signed("<", word(i), count), word(i), last)
    return at(bd, pointer(bd, base), bd.mul(index, step))

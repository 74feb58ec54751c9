"""Lines of the INT8 depthwise convolutions: pixel after pixel of a block of channels, each channel with its own weights.

Four bytes that a channel's products sum up in one step must lie together: four kernel rows of one column (or four taps of one pixel) are interleaved
in registers. The sums then lie as `cnml.ukernels.simd.interleave` leaves them; weights and ends are packed in that order, and narrowing to bytes
undoes it. A column of the input is interleaved once, for all pixels that it belongs to: those that are not complete stay in registers.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import dot_kind, isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.epilogue_x8 import activate_codes, fold, is_easy, limits
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import Dot, ints
from cnml.ukernels.simd.interleave import in_order, interleave
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import BYTE, PTR, at, load_word, pointer, word

LANES = isa().lanes
#: vectors of a block of channels, and rows or taps of a step
FOUR = 4
#: lanes of the vectors that blocks have: 4 * lanes channels
BLOCK_LANES = tuple(n for n in (16, 8, 4) if n <= LANES)


class DepthwiseWords(NamedTuple):
    """Integer operands of a line, in order; addresses and steps are in bytes."""

    pointers: Any      # address of int64[lines][…]: the input pixels from the first tap of the first pixel on
    step: Any          # between the pointers of two lines
    along: Any         # between the pointers of two pixels' taps
    taps: Any          # address of int64[4 * steps]: where the pointer of each tap lies, from `pointers` on; not for columns
    steps: Any
    offset: Any        # of the first channel, added to every pointer
    lanes: Any         # of BLOCK_LANES
    columns: Any       # channels of the block that exist: all but where a tensor has fewer than the narrowest block
    weights: Any       # [steps][4] vectors of words
    ends: Any          # int32 starts, float32 factors and float32 biases, 4 * lanes of each; the floats times SCALE if the results are codes
    count: Any         # pixels
    out: Any           # of the first pixel
    out_pixel: Any
    mode: Any          # activation, see epilogue_f32
    zero: Any          # the code of 0 in the output
    bounded: Any       # for codes: whether no sum, times its factor and so on, can exceed 2**29


class DepthwiseFloats(NamedTuple):
    """float32 operands of a line."""

    low: Any           # of the activation
    high: Any
    least: Any         # smallest and largest result in codes, before the code of 0 is added
    most: Any


class DepthwiseForm(NamedTuple):
    """What a line is compiled for."""

    rows: int     # of the kernel, or 0 for any taps
    columns: int
    stride: int   # along the line
    item: int     # bytes of a result: 4 for float32, 1 for codes


@intrinsic(prefer_literal=True)
def depthwise_line_qs8(typingctx, rows, columns, stride, item, words, floats):  # type: ignore[no-untyped-def]
    """out[i, c] = activation(factor[c] * (start[c] + sum over taps of input[tap of i, c] * weights[tap, c]) + bias[c]) in float32 or as codes; each
    operation on floats is rounded by itself.
    """
    form = DepthwiseForm(*_literals(rows, columns, stride, item))

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = DepthwiseWords(*(bd.extract_value(args[4], i) for i in range(len(DepthwiseWords._fields))))
        f = DepthwiseFloats(*(bd.extract_value(args[5], i) for i in range(len(DepthwiseFloats._fields))))
        _blocks(bd, w, lambda block: _line(bd, w, f, block, form))
        return context.get_dummy_value()

    return types.void(rows, columns, stride, item, *_OPERANDS), codegen


_OPERANDS = types.UniTuple(types.intp, len(DepthwiseWords._fields)), types.UniTuple(types.float32, len(DepthwiseFloats._fields))


def _literals(*values: Any) -> list[int]:
    if not all(isinstance(t, types.IntegerLiteral) for t in values):
        raise TypingError(f"the form of a depthwise convolution must be constant, got {values}")
    return [t.literal_value for t in values]


class _Block(NamedTuple):
    """The vectors that a block of channels has."""

    dot: Dot
    mask: ir.Value | None  # of the channels that exist

    def load(self, bd: ir.IRBuilder, ptr: ir.Value) -> ir.Value:
        """The codes of a pixel."""
        return vec_x8.load_bytes(bd, ptr, FOUR * self.dot.lanes, self.mask)

    def store(self, bd: ir.IRBuilder, value: ir.Value, ptr: ir.Value) -> None:
        """Codes or floats of a pixel."""
        (vec_x8.store_bytes if value.type.element == BYTE else v.store_masked)(bd, value, ptr, self.mask)


def _blocks(bd: ir.IRBuilder, w: DepthwiseWords, emit: Callable[[_Block], None]) -> None:
    """The code for every kind of block; only the narrowest comes in parts where masked bytes are no instruction."""
    for lanes in BLOCK_LANES:
        with bd.if_then(bd.icmp_signed("==", w.lanes, word(lanes))):
            dot, channels = Dot(dot_kind(), lanes), FOUR * lanes
            if lanes != BLOCK_LANES[-1] and LANES != 16:
                emit(_Block(dot, None))
                continue
            with bd.if_else(bd.icmp_signed(">=", w.columns, word(channels))) as (full, part):
                with full:
                    emit(_Block(dot, None))
                with part:
                    emit(_Block(dot, vec_x8.column_mask(bd, w.columns, channels)))


def _line(bd: ir.IRBuilder, w: DepthwiseWords, f: DepthwiseFloats, block: _Block, form: DepthwiseForm) -> None:
    """All pixels, with the ending that they need."""
    pixels = _columns if form.rows else _taps
    if form.item == 4:
        pixels(bd, w, block, form, lambda sums, out: _floats(bd, w, f, block, sums, out))
        return
    mode, held = fold(bd, w.mode, (f.low, f.high), limits(bd, f.least, f.most, w.zero))

    def codes(sums: list[ir.Value], out: ir.Value, easily: bool) -> None:
        cells = _ended(bd, w, block, sums)
        if not easily:
            activate_codes(bd, mode, (f.low, f.high), cells)
        block.store(bd, vec_x8.codes_of(bd, [cell.get() for cell in cells], held, interleaved=True, easy=easily), out)

    with bd.if_else(is_easy(bd, w.bounded, mode, held)) as (easy, other):
        with easy:
            pixels(bd, w, block, form, lambda sums, out: codes(sums, out, True))
        with other:
            pixels(bd, w, block, form, lambda sums, out: codes(sums, out, False))


Ending = Callable[[list[ir.Value], ir.Value], None]


def _columns(bd: ir.IRBuilder, w: DepthwiseWords, block: _Block, form: DepthwiseForm, ending: Ending) -> None:
    """Columns of the kernel from left to right; the first pixels' first columns come before the loop."""
    dot, lanes, (rows, columns, stride, _) = block.dot, block.dot.lanes, form
    panel, size = pointer(bd, w.weights), 4 * block.dot.lanes
    steps = range(-(-rows // FOUR))
    weights = [[[dot.weights(bd, at(bd, panel, size * (FOUR * (columns * step + k) + j))) for j in range(FOUR)] for k in range(columns)]
               for step in steps]
    nothing = ir.Constant(ir.VectorType(BYTE, FOUR * lanes), [0] * (FOUR * lanes))
    before = columns - stride
    table, out = Cell(bd, PTR, pointer(bd, w.pointers)), Cell(bd, PTR, pointer(bd, w.out))

    def take(sums: dict[int, list[ir.Value]], column: int) -> None:
        """Add a column, counted from the current pixel's first one, to all pixels that it belongs to."""
        for step in steps:
            lines = [at(bd, table.get(), bd.mul(w.step, word(r))) for r in range(FOUR * step, min(FOUR * step + FOUR, rows))]
            codes = [block.load(bd, at(bd, pointer(bd, load_word(bd, line, column)), w.offset)) for line in lines]
            operands = [dot.operands(bd, q) for q in interleave(bd, codes + [nothing] * (FOUR - len(codes)))]
            for pixel in range(column // stride + 1):
                k = column - pixel * stride
                if k < columns:
                    old = sums.get(pixel) or _starts(bd, w, lanes)
                    sums[pixel] = [dot.add(bd, x, q, b) for x, q, b in zip(old, operands, weights[step][k], strict=True)]

    first: dict[int, list[ir.Value]] = {}
    for column in range(before):
        take(first, column)
    kept = [[Cell(bd, ints(lanes), x) for x in first[pixel]] for pixel in sorted(first)]
    with loop(bd, word(0), w.count, 1):
        sums = {pixel: [cell.get() for cell in cells] for pixel, cells in enumerate(kept)}
        for column in range(before, columns):
            take(sums, column)
        ending(sums[0], out.get())
        for pixel, cells in enumerate(kept):
            for cell, x in zip(cells, sums[pixel + 1], strict=True):
                cell.set(x)
        table.set(at(bd, table.get(), w.along))
        out.set(at(bd, out.get(), w.out_pixel))


def _taps(bd: ir.IRBuilder, w: DepthwiseWords, block: _Block, form: DepthwiseForm, ending: Ending) -> None:
    """Any taps, four at a time."""
    offsets, size = pointer(bd, w.taps), 4 * block.dot.lanes
    with loop(bd, word(0), w.count, 1) as i:
        table = at(bd, pointer(bd, w.pointers), bd.mul(i, w.along))
        sums = [Cell(bd, ints(block.dot.lanes), x) for x in _starts(bd, w, block.dot.lanes)]
        with loop(bd, word(0), w.steps, 1) as step:
            taps = at(bd, offsets, bd.mul(step, word(8 * FOUR)))
            rows = [block.load(bd, at(bd, pointer(bd, load_word(bd, at(bd, table, load_word(bd, taps, k)), 0)), w.offset)) for k in range(FOUR)]
            panel = at(bd, pointer(bd, w.weights), bd.mul(step, word(size * FOUR)))
            for j, (cell, q) in enumerate(zip(sums, interleave(bd, rows), strict=True)):
                cell.set(block.dot.add(bd, cell.get(), block.dot.operands(bd, q), block.dot.weights(bd, at(bd, panel, size * j))))
        ending([cell.get() for cell in sums], at(bd, pointer(bd, w.out), bd.mul(i, w.out_pixel)))


def _starts(bd: ir.IRBuilder, w: DepthwiseWords, lanes: int) -> list[ir.Value]:
    return [bd.load(at(bd, pointer(bd, w.ends), 4 * lanes * j), align=4, typ=ints(lanes)) for j in range(FOUR)]


def _ended(bd: ir.IRBuilder, w: DepthwiseWords, block: _Block, sums: list[ir.Value]) -> list[Cell]:
    """sums * factor + bias."""
    lanes, ends = block.dot.lanes, pointer(bd, w.ends)
    factors, biases = ([v.load(bd, at(bd, ends, 4 * lanes * (FOUR * part + j)), lanes) for j in range(FOUR)] for part in (1, 2))
    return [Cell(bd, v.vec(lanes), bd.fadd(v.multiply_rounded(bd, bd.sitofp(x, v.vec(lanes)), factor), bias))
            for x, factor, bias in zip(sums, factors, biases, strict=True)]


def _floats(bd: ir.IRBuilder, w: DepthwiseWords, f: DepthwiseFloats, block: _Block, sums: list[ir.Value], out: ir.Value) -> None:
    """One pixel in float32."""
    cells = _ended(bd, w, block, sums)
    activate(bd, w.mode, (f.low, f.high), cells, block.dot.lanes)
    block.store(bd, in_order(bd, [cell.get() for cell in cells]), out)

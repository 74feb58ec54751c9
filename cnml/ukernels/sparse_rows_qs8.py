"""Inner products of a few rows of codes with lists of words of weights: lanes are the words of a list."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnml.ukernels.simd.dot4 import I16, ints, splat_word
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import BYTE, I32, I64, PTR, at, pointer, word
from cnml.ukernels.sparse_qs8 import DOT, LANES, WEIGHT_WORDS

_OPERANDS: dict[str, ir.Type] = {"vnni": ir.VectorType(BYTE, 4 * LANES), "pairs": ir.VectorType(I16, 2 * LANES), "plain": ints(LANES)}


class GatherWords(NamedTuple):
    """Operands of `gather_rows`; addresses, and bytes."""

    outputs: Any        # int32[channels][2]: index of an output, number of its vectors of words
    entries: Any        # the vectors behind each other: offsets of LANES words of input, and WEIGHT_WORDS vectors of weights
    channels: Any
    x: Any
    step: Any           # from one row of input to the next
    rows: Any           # 1 to LANES
    start: Any          # int32 of every output that its sums start from
    sums: Any           # int32[outputs][LANES]: a lane for each row; those behind the last are as the first


@intrinsic
def gather_rows(typingctx, words):  # type: ignore[no-untyped-def]
    """sums[output][row] = start + the products of the output's words with those of the row."""
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = GatherWords(*(bd.extract_value(args[0], i) for i in range(len(GatherWords._fields))))
        size, entry = 4 * LANES * (1 + WEIGHT_WORDS), Cell(bd, PTR, pointer(bd, w.entries))
        with loop(bd, word(0), w.channels, 1) as i:
            output, count = (bd.sext(bd.load(at(bd, at(bd, pointer(bd, w.outputs), bd.mul(i, word(8))), 4 * part), align=4, typ=I32), I64)
                             for part in (0, 1))
            first, out = entry.get(), at(bd, pointer(bd, w.sums), bd.mul(output, word(4 * LANES)))
            start = bd.load(at(bd, pointer(bd, w.start), bd.mul(output, word(4))), align=4, typ=I32)
            with loop(bd, word(0), w.rows, 1) as row:
                x, cell = at(bd, pointer(bd, w.x), bd.mul(row, w.step)), Cell(bd, ints(LANES), ir.Constant(ints(LANES), [0] * LANES))
                with loop(bd, word(0), count, 1) as k:
                    _multiply(bd, at(bd, first, bd.mul(k, word(size))), x, cell)
                total = bd.add(start, _sum(bd, cell.get()))
                with bd.if_else(bd.icmp_signed("==", row, word(0))) as (every, one):
                    with every:
                        bd.store(splat_word(bd, total, LANES), out, align=4)
                    with one:
                        bd.store(total, at(bd, out, bd.mul(row, word(4))), align=4)
            entry.set(at(bd, first, bd.mul(count, word(size))))
        return context.get_dummy_value()

    return types.void(types.UniTuple(types.intp, len(GatherWords._fields))), codegen


def _multiply(bd: ir.IRBuilder, entry: ir.Value, x: ir.Value, sums: Cell) -> None:
    """A vector of words of weights times the words of input at their offsets, loaded one by one: instructions that gather are no faster."""
    words = ir.Constant(ints(LANES), ir.Undefined)
    for lane in range(LANES):
        offset = bd.zext(bd.load(at(bd, entry, 4 * lane), align=4, typ=I32), I64)
        words = bd.insert_element(words, bd.load(at(bd, x, offset), align=1, typ=I32), ir.Constant(I32, lane))
    weights = [bd.bitcast(bd.load(at(bd, entry, 4 * LANES * (1 + i)), align=4, typ=ints(LANES)), _OPERANDS[DOT.kind]) for i in range(WEIGHT_WORDS)]
    sums.set(DOT.add(bd, sums.get(), DOT.operands(bd, words), weights))


def _sum(bd: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """The sum over the lanes."""
    half = LANES // 2
    while half:
        vector = bd.add(vector, bd.shuffle_vector(vector, vector, ir.Constant(ints(LANES), [(i + half) % LANES for i in range(LANES)])))
        half //= 2
    return bd.extract_element(vector, ir.Constant(I32, 0))

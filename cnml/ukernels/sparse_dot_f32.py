"""Sums of a few rows of inputs times the weights of one output that are not zero."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, I64, at, pointer, prefetch, word

CHAINS = 8    # sums that do not wait for each other
AHEAD = 512   # weights from one that is loaded to one that is asked for: they come from memory, in two streams
_I16 = ir.IntType(16)


class DotWords(NamedTuple):
    """Integer operands of `sparse_dot`; addresses and strides are in bytes."""

    places: Any   # address of uint16[count]: which input each weight meets
    weights: Any  # address of float32 or half [count]
    count: Any
    x: Any        # float32 [input][MR rows]
    bias: Any     # address of one float32
    y: Any
    y_bytes: Any  # from one row to the next
    rows: Any     # that exist
    mode: Any     # activation, see epilogue_f32


@intrinsic(prefer_literal=True)
def sparse_dot(typingctx: Any, mr: Any, item: Any, words: Any, low: Any, high: Any) -> Any:
    """y[row] = activation(bias + sum over the weights of weight * x[place][row]) for MR rows, with weights of `item` bytes."""
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, item)):
        raise TypingError(f"sparse_dot needs its rows and bytes as constants, got {mr} rows, {item} bytes a weight")
    rows, size = mr.literal_value, item.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = DotWords(*(bd.extract_value(args[2], i) for i in range(len(DotWords._fields))))
        places, weights, x = pointer(bd, w.places), pointer(bd, w.weights), pointer(bd, w.x)
        chains = [Cell(bd, v.vec(rows), v.zeros(rows)) for _ in range(CHAINS)]
        whole = bd.and_(w.count, word(-CHAINS))
        for start, stop, steps in ((word(0), whole, CHAINS), (whole, w.count, 1)):
            with loop(bd, start, stop, steps) as k:
                for stream, nbytes in ((weights, size), (places, 2)) if steps > 1 else ():
                    prefetch(bd, at(bd, stream, bd.mul(bd.add(k, word(AHEAD)), word(nbytes))))
                for step, cell in enumerate(chains[:steps]):
                    i = bd.add(k, word(step))
                    place = bd.zext(bd.load(bd.gep(places, [i], source_etype=_I16), align=2, typ=_I16), I64)
                    weight = v.splat(bd, _load_weight(bd, at(bd, weights, bd.mul(i, word(size))), size), rows)
                    inputs = v.load(bd, at(bd, x, bd.mul(place, word(4 * rows))), rows)
                    cell.set(v.multiply_add(bd, weight, inputs, cell.get()))
        sums = [cell.get() for cell in chains]
        while len(sums) > 1:
            sums = [bd.fadd(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
        end = Cell(bd, v.vec(rows), bd.fadd(sums[0], v.load_splat(bd, pointer(bd, w.bias), rows)))
        activate(bd, w.mode, (args[3], args[4]), [end], rows)
        for row in range(rows):
            with bd.if_then(bd.icmp_signed("<", word(row), w.rows)):
                bd.store(bd.extract_element(end.get(), ir.Constant(I32, row)), at(bd, pointer(bd, w.y), bd.mul(w.y_bytes, word(row))), align=4)
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(DotWords._fields))
    return types.void(mr, item, words_type, types.float32, types.float32), codegen


def _load_weight(bd: ir.IRBuilder, ptr: ir.Value, item: int) -> ir.Value:
    if item == 4:
        return bd.load(ptr, align=4, typ=v.F32)
    return bd.fpext(bd.load(ptr, align=2, typ=ir.HalfType()), v.F32)

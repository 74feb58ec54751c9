"""Where the largest values of lines are."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, I64, at, pointer, word

LANES = isa().lanes
_INTS = ir.VectorType(I32, LANES)


def _fold(bd: ir.IRBuilder, x: ir.Value, greater: Callable[[ir.Value, ir.Value], ir.Value]) -> ir.Value:
    """The greatest lane in every lane."""
    half = LANES // 2
    while half:
        x = greater(x, bd.shuffle_vector(x, x, ir.Constant(_INTS, [(i + half) % LANES for i in range(LANES)])))
        half //= 2
    return x


class _Line:
    """The running maxima of one line, one a lane."""

    def __init__(self, bd: ir.IRBuilder, base: ir.Value):
        self._bd, self._base = bd, base
        self._best = Cell(bd, v.vec(LANES), ir.Constant(v.vec(LANES), [float("-inf")] * LANES))
        self._where = Cell(bd, _INTS, ir.Constant(_INTS, [-1] * LANES))

    def take(self, i: ir.Value, index: ir.Value, mask: ir.Value | None) -> None:
        """Values i, i + 1, …; `index` has them as a vector."""
        bd = self._bd
        value = v.load_masked(bd, at(bd, self._base, bd.mul(i, word(4))), LANES, mask)
        better = bd.fcmp_ordered(">=", value, self._best.get())
        better = better if mask is None else bd.and_(better, mask)
        self._best.set(bd.select(better, value, self._best.get()))
        self._where.set(bd.select(better, index, self._where.get()))

    def greatest(self) -> ir.Value:
        """The greatest value in every lane."""
        bd = self._bd
        return _fold(bd, self._best.get(), lambda x, y: bd.select(bd.fcmp_ordered(">", x, y), x, y))

    def last_index(self, most: ir.Value) -> ir.Value:
        """The last index of the greatest value; 0 if the line begins with a NaN or holds nothing else."""
        bd = self._bd
        places = bd.select(bd.fcmp_ordered("==", self._best.get(), most), self._where.get(), ir.Constant(_INTS, [-1] * LANES))
        index = _fold(bd, places, lambda x, y: bd.select(bd.icmp_signed(">", x, y), x, y))
        found = bd.sext(bd.extract_element(index, ir.Constant(I32, 0)), I64)
        first = bd.load(self._base, align=4, typ=v.F32)
        none = bd.or_(bd.fcmp_unordered("uno", first, first), bd.icmp_signed("<", found, word(0)))
        return bd.select(none, word(0), found)


@intrinsic(prefer_literal=True)
def last_greatest(typingctx: Any, group: Any, x: Any, n: Any, out: Any) -> Any:
    """out[i] = the index of the greatest of n values of line i, the last of equals, for a constant number of lines of n values side by side at an
    address; `out` is the address of as many int64. A NaN is never greater, but stays if it comes first.

    Lines go together because each step of one waits for the step before.
    """
    if not isinstance(group, types.IntegerLiteral):
        raise TypingError(f"last_greatest needs its number of lines as a constant, got {group}")

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        base, n, out = pointer(bd, a[1]), a[2], pointer(bd, a[3])
        here = Cell(bd, _INTS, ir.Constant(_INTS, list(range(LANES))))
        lines = [_Line(bd, at(bd, base, bd.mul(n, word(4 * i)))) for i in range(group.literal_value)]

        def take(i: ir.Value, mask: ir.Value | None) -> None:
            for line in lines:
                line.take(i, here.get(), mask)
            here.set(bd.add(here.get(), ir.Constant(_INTS, [LANES] * LANES)))

        whole = bd.and_(n, word(-LANES))
        with loop(bd, word(0), whole, LANES) as i:
            take(i, None)
        with bd.if_then(bd.icmp_signed("<", whole, n)):
            take(whole, v.first_lanes(bd, bd.sub(n, whole), LANES))
        found = [line.last_index(most) for line, most in zip(lines, [line.greatest() for line in lines], strict=True)]
        for i, index in enumerate(found):
            bd.store(index, at(bd, out, 8 * i), align=8)
        return context.get_dummy_value()
    return types.void(group, *[types.int64] * 3), codegen

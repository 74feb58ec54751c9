"""Softmax over lines and columns, in registers."""
from __future__ import annotations

from functools import reduce
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.exp_f32 import exp_not_positive
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, I64, at, pointer, prefetch, word

LANES = isa().lanes
#: vectors of columns that go side by side
VECTORS = 4
#: short lines that go side by side
GROUP = 4 if LANES == 16 else 2


def _lowest() -> ir.Constant:
    return ir.Constant(v.vec(LANES), [float("-inf")] * LANES)


def _greater(bd: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return bd.select(bd.fcmp_ordered(">", a, b), a, b)


def _fold(bd: ir.IRBuilder, x: ir.Value, greatest: bool) -> ir.Value:
    """The greatest, or the sum, of all lanes in every lane."""
    half = LANES // 2
    while half:
        other = bd.shuffle_vector(x, x, ir.Constant(ir.VectorType(I32, LANES), [(i + half) % LANES for i in range(LANES)]))
        x = _greater(bd, x, other) if greatest else bd.fadd(x, other)
        half //= 2
    return x


def _present(bd: ir.IRBuilder, x: ir.Value, mask: ir.Value | None, absent: ir.Constant) -> ir.Value:
    return x if mask is None else bd.select(mask, x, absent)


def _inverse(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    return bd.fdiv(ir.Constant(x.type, [1.0] * x.type.count), x)


class _Line:
    """A line of n values: whole vectors, then one with the rest."""

    def __init__(self, bd: ir.IRBuilder, n: ir.Value):
        self._bd, self._n = bd, n
        self._whole = bd.and_(n, word(-LANES))
        self._mask = v.first_lanes(bd, bd.sub(n, self._whole), LANES)

    def each(self, body: Any) -> None:
        """body(byte offset, mask or None) for every vector."""
        bd = self._bd
        with loop(bd, word(0), self._whole, LANES) as i:
            body(bd.mul(i, word(4)), None)
        with bd.if_then(bd.icmp_signed("<", self._whole, self._n)):
            body(bd.mul(self._whole, word(4)), self._mask)


def _long_line(bd: ir.IRBuilder, x: ir.Value, y: ir.Value, line: _Line) -> None:
    most, total = Cell(bd, v.vec(LANES), _lowest()), Cell(bd, v.vec(LANES), v.zeros(LANES))

    def raise_most(offset: ir.Value, mask: ir.Value | None) -> None:
        most.set(_greater(bd, _present(bd, v.load_masked(bd, at(bd, x, offset), LANES, mask), mask, _lowest()), most.get()))
    line.each(raise_most)
    greatest = _fold(bd, most.get(), True)

    def exponential(offset: ir.Value, mask: ir.Value | None) -> None:
        e = exp_not_positive(bd, bd.fsub(v.load_masked(bd, at(bd, x, offset), LANES, mask), greatest))
        v.store_masked(bd, e, at(bd, y, offset), mask)
        total.set(bd.fadd(total.get(), _present(bd, e, mask, v.zeros(LANES))))
    line.each(exponential)
    factor = _inverse(bd, _fold(bd, total.get(), False))

    def scale(offset: ir.Value, mask: ir.Value | None) -> None:
        here = at(bd, y, offset)
        v.store_masked(bd, bd.fmul(v.load_masked(bd, here, LANES, mask), factor), here, mask)
    line.each(scale)


def _short_lines(bd: ir.IRBuilder, x: ir.Value, y: ir.Value, lines: ir.Value, n: ir.Value, vectors: int) -> None:
    """Lines that fit in `vectors` vectors."""
    masks = [v.first_lanes(bd, bd.sub(n, word(LANES * i)), LANES) for i in range(vectors)]
    done = Cell(bd, I64, word(0))
    for group in (GROUP, 1):
        with loop(bd, done.get(), lines, group) as i:
            starts = [bd.mul(bd.mul(bd.add(i, word(k)), n), word(4)) for k in range(group)]
            _line_group(bd, x, y, [[bd.add(start, word(4 * LANES * j)) for j in range(vectors)] for start in starts], masks)
            done.set(bd.add(i, word(group)))


def _line_group(bd: ir.IRBuilder, x: ir.Value, y: ir.Value, places: list[list[ir.Value]], masks: list[ir.Value]) -> None:
    """Several lines step by step, because each step waits for the one before; `places` has the vectors of each line."""
    values = [[_present(bd, v.load_masked(bd, at(bd, x, p), LANES, m), m, _lowest()) for p, m in zip(line, masks, strict=True)] for line in places]
    most = [_fold(bd, reduce(lambda a, b: _greater(bd, a, b), line), True) for line in values]
    values = [[bd.fsub(value, m) for value in line] for line, m in zip(values, most, strict=True)]
    # a lane that is not there has -inf: its exponential is 0, but that of -inf less -inf is not
    values = [[_present(bd, exp_not_positive(bd, value), m, v.zeros(LANES)) for value, m in zip(line, masks, strict=True)] for line in values]
    factors = [_inverse(bd, _fold(bd, reduce(bd.fadd, line), False)) for line in values]
    for line, factor, targets in zip(values, factors, places, strict=True):
        for value, p, m in zip(line, targets, masks, strict=True):
            v.store_masked(bd, bd.fmul(value, factor), at(bd, y, p), m)


@intrinsic
def softmax_lines(typingctx: Any, x: Any, y: Any, lines: Any, n: Any) -> Any:
    """y = softmax(x) for `lines` lines of n contiguous values; x and y are addresses."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        source, target = pointer(bd, a[0]), pointer(bd, a[1])
        with bd.if_else(bd.icmp_signed("<=", a[3], word(2 * LANES))) as (short, long):
            with short, bd.if_else(bd.icmp_signed("<=", a[3], word(LANES))) as (one, two):
                with one:
                    _short_lines(bd, source, target, a[2], a[3], 1)
                with two:
                    _short_lines(bd, source, target, a[2], a[3], 2)
            with long:
                line = _Line(bd, a[3])
                with loop(bd, word(0), a[2], 1) as i:
                    offset = bd.mul(bd.mul(i, a[3]), word(4))
                    _long_line(bd, at(bd, source, offset), at(bd, target, offset), line)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 4), codegen


def _packed(bd: ir.IRBuilder, x: ir.Value, n: int) -> ir.Value:
    """Softmax of the LANES // n lines of n values that lie in one vector."""
    used = LANES // n * n

    def around(value: ir.Value, greatest: bool) -> ir.Value:
        """Every lane gets the result of its line."""
        result = value
        for r in range(1, n):
            turned = [i // n * n + (i % n + r) % n if i < used else i for i in range(LANES)]
            other = bd.shuffle_vector(value, value, ir.Constant(ir.VectorType(I32, LANES), turned))
            result = _greater(bd, result, other) if greatest else bd.fadd(result, other)
        return result

    e = exp_not_positive(bd, bd.fsub(x, around(x, True)))
    return bd.fmul(e, _inverse(bd, around(e, False)))


@intrinsic(prefer_literal=True)
def softmax_packed(typingctx: Any, n: Any, x: Any, y: Any, lines: Any) -> Any:
    """As `softmax_lines` for a constant n of at most half a vector: as many lines as fit share one."""
    if not isinstance(n, types.IntegerLiteral):
        raise TypingError(f"softmax_packed needs the length of its lines as a constant, got {n}")
    length = n.literal_value
    used = LANES // length * length

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        count, done = bd.mul(a[3], word(length)), Cell(bd, I64, word(0))
        source, target = pointer(bd, a[1]), pointer(bd, a[2])
        # a whole vector is read, and written where the next one follows; its last lanes, if unused, are computed again
        with loop(bd, word(0), bd.sub(count, word(LANES - used)), used) as i:
            offset = bd.mul(i, word(4))
            v.store(bd, _packed(bd, v.load(bd, at(bd, source, offset), LANES), length), at(bd, target, offset))
            done.set(bd.add(i, word(used)))
        with loop(bd, done.get(), bd.add(count, word(used - 1)), used) as i:
            offset, left = bd.mul(i, word(4)), bd.sub(count, i)
            left = bd.select(bd.icmp_signed("<", left, word(used)), left, word(used))
            mask = v.first_lanes(bd, left, LANES)
            v.store_masked(bd, _packed(bd, v.load_masked(bd, at(bd, source, offset), LANES, mask), length), at(bd, target, offset), mask)
        return context.get_dummy_value()
    return types.void(n, *[types.int64] * 3), codegen


def _columns(bd: ir.IRBuilder, x: ir.Value, y: ir.Value, n: ir.Value, step: ir.Value, scratch: ir.Value, masks: list[ir.Value | None]) -> None:
    """One block of columns: rows are copied into the scratch block, since rows that are a power of two apart drive each other out of the cache."""
    count = len(masks)
    most = [Cell(bd, v.vec(LANES), _lowest()) for _ in masks]
    total = [Cell(bd, v.vec(LANES), v.zeros(LANES)) for _ in masks]
    near = word(4 * LANES * count)
    with loop(bd, word(0), n, 1) as i:
        row, copy = at(bd, x, bd.mul(i, step)), at(bd, scratch, bd.mul(i, near))
        for j, mask in enumerate(masks):
            value = v.load_masked(bd, at(bd, row, 4 * LANES * j), LANES, mask)
            most[j].set(_greater(bd, value, most[j].get()))
            v.store(bd, value, at(bd, copy, 4 * LANES * j))
    with loop(bd, word(0), n, 1) as i:
        copy, row = at(bd, scratch, bd.mul(i, near)), bd.mul(i, step)
        for j in range(count):
            # rows far apart are not foreseen by the CPU: ask for the next block of x, and for where this one goes
            prefetch(bd, at(bd, x, bd.add(row, word(4 * LANES * (count + j)))))
            prefetch(bd, at(bd, y, bd.add(row, word(4 * LANES * j))), write=True)
            here = at(bd, copy, 4 * LANES * j)
            e = exp_not_positive(bd, bd.fsub(v.load(bd, here, LANES), most[j].get()))
            total[j].set(bd.fadd(total[j].get(), e))
            v.store(bd, e, here)
    factors = [_inverse(bd, t.get()) for t in total]
    with loop(bd, word(0), n, 1) as i:
        row, copy = at(bd, y, bd.mul(i, step)), at(bd, scratch, bd.mul(i, near))
        for j, mask in enumerate(masks):
            v.store_masked(bd, bd.fmul(v.load(bd, at(bd, copy, 4 * LANES * j), LANES), factors[j]), at(bd, row, 4 * LANES * j), mask)


@intrinsic
def softmax_columns(typingctx: Any, x: Any, y: Any, n: Any, inner: Any, columns: Any, scratch: Any) -> Any:
    """y = softmax(x) for up to VECTORS * LANES neighbouring columns of n values `inner` apart; `scratch` is the address of n rows of that many."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        step = bd.mul(a[3], word(4))
        work = pointer(bd, a[5])
        with bd.if_else(bd.icmp_signed("==", a[4], word(VECTORS * LANES))) as (full, part):
            with full:
                _columns(bd, pointer(bd, a[0]), pointer(bd, a[1]), a[2], step, work, [None] * VECTORS)
            with part, loop(bd, word(0), bd.add(a[4], word(LANES - 1)), LANES) as c:
                offset = bd.mul(c, word(4))
                mask = v.first_lanes(bd, bd.sub(a[4], c), LANES)
                _columns(bd, at(bd, pointer(bd, a[0]), offset), at(bd, pointer(bd, a[1]), offset), a[2], step, work, [mask])
        return context.get_dummy_value()
    return types.void(*[types.int64] * 6), codegen

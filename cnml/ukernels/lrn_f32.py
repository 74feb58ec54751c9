"""Local response normalisation along the channels: sums of neighbouring squares in registers."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, I64, at, pointer, word

LANES = isa().lanes
LARGEST = float(np.finfo(np.float32).max)


class Pixel(NamedTuple):
    """What is worked on: addresses of the channels, how many there are, and the two factors as vectors."""

    x: ir.Value
    y: ir.Value
    channels: ir.Value
    alpha: ir.Value
    k: ir.Value


def _estimate(bd: ir.IRBuilder, x: ir.Value) -> ir.Value | None:
    """1 / sqrt(x) with twelve bits or more, where there is an instruction for it."""
    t, name = x.type, isa().name
    if name == "avx512":
        kind = ir.FunctionType(t, [t, t, ir.IntType(16)])
        return bd.call(cgutils.get_or_insert_function(bd.module, kind, "llvm.x86.avx512.rsqrt14.ps.512"),
                       [x, v.zeros(t.count), ir.Constant(ir.IntType(16), -1)])
    if name == "avx2":
        return bd.call(cgutils.get_or_insert_function(bd.module, ir.FunctionType(t, [t]), "llvm.x86.avx.rsqrt.ps.256"), [x])
    return None


def _inverse_root(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """1 / sqrt(x), rounded or estimated."""
    t, guess = x.type, _estimate(bd, x)
    if guess is not None:
        return guess
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(t, [t]), f"llvm.sqrt.v{t.count}f32")
    return bd.fdiv(ir.Constant(t, [1.0] * t.count), bd.call(f, [x]))


def _quarter(bd: ir.IRBuilder, s: ir.Value) -> ir.Value:
    """s ** -0.25 or thereabouts."""
    root = _inverse_root(bd, s)
    return bd.fmul(root, _inverse_root(bd, root))


def _three_quarters(bd: ir.IRBuilder, x: ir.Value, s: ir.Value, r: ir.Value) -> ir.Value:
    """x * s ** -0.75 from an estimate r of s ** -0.25: with d = 1 - s * r ** 4 the power is r ** 3 * (1 + 0.75 * d), but for terms of d ** 2."""
    t = s.type
    square = bd.fmul(r, r)
    part = bd.fmul(bd.fmul(s, square), square)
    less, more = (ir.Constant(t, [c] * t.count) for c in (-0.75, 1.75))
    p = bd.fmul(bd.fmul(square, r), v.multiply_add(bd, part, less, more))
    # where infinity times zero makes a NaN
    infinite = bd.fcmp_ordered(">", s, ir.Constant(t, [LARGEST] * t.count))
    return bd.fmul(x, bd.select(infinite, v.zeros(t.count), p))


class Pipeline:
    """Powers in two steps, each of which works on another vector: one long chain of operations after the other would leave the multipliers idle.

    Vectors are stored two pushes late; the first two stores are of nothing and go where the first vector will.
    """

    def __init__(self, bd: ir.IRBuilder, y: ir.Value):
        vec = v.vec(LANES)
        self._bd, self._y = bd, y
        self._count = Cell(bd, I64, word(-2 * 4 * LANES))
        self._first = [Cell(bd, vec, v.zeros(LANES)) for _ in range(2)]
        self._second = [Cell(bd, vec, v.zeros(LANES)) for _ in range(3)]

    def push(self, x: ir.Value, s: ir.Value) -> None:
        """The next vector of x * s ** -0.75."""
        bd, offset = self._bd, self._count.get()
        target = bd.select(bd.icmp_signed("<", offset, word(0)), word(0), offset)
        v.store(bd, _three_quarters(bd, *(c.get() for c in self._second)), at(bd, self._y, target))
        x1, s1 = (c.get() for c in self._first)
        for cell, value in zip((*self._second, *self._first), (x1, s1, _quarter(bd, s1), x, s), strict=True):
            cell.set(value)
        self._count.set(bd.add(offset, word(4 * LANES)))

    def flush(self) -> None:
        """Store what is on its way."""
        for _ in range(2):
            self.push(v.zeros(LANES), v.zeros(LANES))


def _shifted(bd: ir.IRBuilder, low: ir.Value, high: ir.Value, first: int) -> ir.Value:
    """Lanes `first` … of the two vectors side by side."""
    return bd.shuffle_vector(low, high, ir.Constant(ir.VectorType(I32, LANES), list(range(first, first + LANES))))


class Kept:
    """What one vector of channels leaves for the next: its values and squares, and sums of the vectors before.

    A window of 2 * half + 1 squares is the pairs (i, i + 1) at distance -half, -half + 2, …, and the last square alone.
    """

    def __init__(self, bd: ir.IRBuilder, first: ir.Value):
        vec = v.vec(LANES)
        self.values, self.squares = Cell(bd, vec, first), Cell(bd, vec, bd.fmul(first, first))
        self.before = Cell(bd, vec, v.zeros(LANES))
        # the pairs of the vector before the first are its last lane and the first square
        self.pairs = Cell(bd, vec, _shifted(bd, v.zeros(LANES), self.squares.get(), 1))


def _sums(bd: ir.IRBuilder, kept: Kept, new: ir.Value, half: int) -> ir.Value:
    """Window sums around every lane; `new` are the next squares."""
    now, old = kept.squares.get(), kept.before.get()
    if half % 2:
        total = now
        for d in range(1, half + 1):
            total = bd.fadd(total, bd.fadd(_shifted(bd, old, now, LANES - d), _shifted(bd, now, new, d)))
        return total
    pairs, old_pairs = bd.fadd(now, _shifted(bd, now, new, 1)), kept.pairs.get()
    total = bd.fadd(pairs, _shifted(bd, now, new, half))
    for d in range(2, half + 1, 2):
        total = bd.fadd(total, _shifted(bd, old_pairs, pairs, LANES - d))
    for d in range(2, half, 2):
        total = bd.fadd(total, bd.fadd(_shifted(bd, now, new, d), _shifted(bd, now, new, d + 1)))
    kept.pairs.set(pairs)
    return total


def _block(bd: ir.IRBuilder, p: Pixel, kept: Kept, size: int, ahead: ir.Value) -> tuple[ir.Value, ir.Value]:
    """x and s of one vector of channels; `ahead` are the next values."""
    x, new = kept.values.get(), bd.fmul(ahead, ahead)
    s = v.multiply_add(bd, _sums(bd, kept, new, size // 2), p.alpha, p.k)
    kept.before.set(kept.squares.get())
    kept.values.set(ahead)
    kept.squares.set(new)
    return x, s


def _whole(bd: ir.IRBuilder, p: Pixel, size: int, pipeline: Pipeline | None) -> None:
    """One pixel whose channels fill their vectors."""
    lanes = word(LANES)
    kept = Kept(bd, v.load(bd, p.x, LANES))

    def block(c: ir.Value, ahead: ir.Value) -> None:
        x, s = _block(bd, p, kept, size, ahead)
        if pipeline:
            pipeline.push(x, s)
        else:
            v.store(bd, s, at(bd, p.y, bd.mul(c, word(4))))

    with loop(bd, word(0), bd.sub(p.channels, lanes), LANES) as c:
        block(c, v.load(bd, at(bd, p.x, bd.mul(bd.add(c, lanes), word(4))), LANES))
    block(bd.sub(p.channels, lanes), v.zeros(LANES))


def _partial(bd: ir.IRBuilder, p: Pixel, size: int, fused: bool) -> None:
    """One pixel whose last vector may lack lanes."""
    kept = Kept(bd, v.load_masked(bd, p.x, LANES, v.first_lanes(bd, p.channels, LANES)))
    with loop(bd, word(0), bd.add(p.channels, word(LANES - 1)), LANES) as c:
        following = bd.add(c, word(LANES))
        ahead = v.load_masked(bd, at(bd, p.x, bd.mul(following, word(4))), LANES, v.first_lanes(bd, bd.sub(p.channels, following), LANES))
        x, s = _block(bd, p, kept, size, ahead)
        result = _three_quarters(bd, x, s, _quarter(bd, s)) if fused else s
        v.store_masked(bd, result, at(bd, p.y, bd.mul(c, word(4))), v.first_lanes(bd, bd.sub(p.channels, c), LANES))


@intrinsic(prefer_literal=True)
def lrn_pixels(typingctx: Any, size: Any, fused: Any, x: Any, y: Any, pixels: Any, channels: Any, alpha: Any, k: Any) -> Any:
    """s[p, c] = k + alpha * the sum of x[p, i] ** 2 over the `size` channels i around c. y becomes s, or with `fused` x * s ** -0.75.

    `size` is odd and at most 2 * LANES + 1; x and y are addresses; there is at least one pixel.
    """
    if not isinstance(size, types.IntegerLiteral) or not isinstance(fused, types.IntegerLiteral):
        raise TypingError(f"lrn_pixels needs its form as constants, got {size}, {fused}")

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        step = bd.mul(a[5], word(4))
        factors = v.splat(bd, a[6], LANES), v.splat(bd, a[7], LANES)

        def pixel(i: ir.Value) -> Pixel:
            offset = bd.mul(i, step)
            return Pixel(at(bd, pointer(bd, a[2]), offset), at(bd, pointer(bd, a[3]), offset), a[5], *factors)

        with bd.if_else(bd.icmp_signed("==", bd.and_(a[5], word(LANES - 1)), word(0))) as (full, part):
            with full:
                pipeline = Pipeline(bd, pointer(bd, a[3])) if fused.literal_value else None
                with loop(bd, word(0), a[4], 1) as i:
                    _whole(bd, pixel(i), size.literal_value, pipeline)
                if pipeline:
                    pipeline.flush()
            with part, loop(bd, word(0), a[4], 1) as i:
                _partial(bd, pixel(i), size.literal_value, bool(fused.literal_value))
        return context.get_dummy_value()

    return types.void(size, fused, *[types.int64] * 4, types.float32, types.float32), codegen


@intrinsic
def lrn_three_quarters(typingctx: Any, x: Any, y: Any, n: Any, alpha: Any, k: Any) -> Any:
    """y = x * (k + alpha * y) ** -0.75 for n values; x and y are addresses."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        alphas, ks = v.splat(bd, a[3], LANES), v.splat(bd, a[4], LANES)

        def some(i: ir.Value, mask: ir.Value | None) -> None:
            offset = bd.mul(i, word(4))
            source, target = at(bd, pointer(bd, a[0]), offset), at(bd, pointer(bd, a[1]), offset)
            s = v.multiply_add(bd, v.load_masked(bd, target, LANES, mask), alphas, ks)
            v.store_masked(bd, _three_quarters(bd, v.load_masked(bd, source, LANES, mask), s, _quarter(bd, s)), target, mask)

        done = Cell(bd, I64, word(0))
        with loop(bd, word(0), a[2], LANES) as i:
            some(i, None)
            done.set(bd.add(i, word(LANES)))
        with bd.if_then(bd.icmp_signed("<", done.get(), a[2])):
            some(done.get(), v.first_lanes(bd, bd.sub(a[2], done.get()), LANES))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3, types.float32, types.float32), codegen

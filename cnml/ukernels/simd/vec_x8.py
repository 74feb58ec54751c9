"""Vectors of unsigned bytes: codes of quantized values, with a zero point."""
from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba.core import cgutils

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.dot4 import I16, ints, splat_word
from cnml.ukernels.simd.interleave import cut, in_order, joined
from cnml.ukernels.simd.pointer import BYTE, I32

#: the largest float32 below a half: added to a magnitude below 2**22 and truncated, it rounds halves up and nothing else
ALMOST_HALF = 0.49999997
#: lanes → the instruction set that has vectors of so many words, and the end of its names
_FAMILY = {16: ("avx512", ".512"), 8: ("avx2", ""), 4: ("sse2", ".128")}
_TRUNCATE = {16: "llvm.x86.avx512.mask.cvttps2dq.512", 8: "llvm.x86.avx.cvtt.ps2dq.256", 4: "llvm.x86.sse2.cvttps2dq"}


def load_ints(bd: ir.IRBuilder, ptr: ir.Value, lanes: int) -> ir.Value:
    """Load bytes, one a lane, as 32-bit integers."""
    return bd.zext(bd.load(ptr, align=1, typ=ir.VectorType(BYTE, lanes)), ints(lanes))


def to_floats(bd: ir.IRBuilder, codes: ir.Value, zero: ir.Value, lanes: int) -> ir.Value:
    """codes - zero as float32; `zero` is a 32-bit value."""
    return bd.sitofp(bd.sub(codes, splat_word(bd, zero, lanes)), v.vec(lanes))


def away(bd: ir.IRBuilder, x: ir.Value, lanes: int) -> ir.Value:
    """Magnitudes below 2**22 moved away from zero so that truncation rounds them to the nearest integer, halves away from zero."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(x.type, [x.type] * 2), f"llvm.copysign.v{lanes}f32")
    return bd.fadd(x, bd.call(f, [ir.Constant(x.type, [ALMOST_HALF] * lanes), x]))


def round_away(bd: ir.IRBuilder, x: ir.Value, lanes: int) -> ir.Value:
    """Magnitudes below 2**22 to the nearest 32-bit integer, halves away from zero."""
    return bd.fptosi(away(bd, x, lanes), ints(lanes))


def to_codes(bd: ir.IRBuilder, x: ir.Value, low: ir.Value, high: ir.Value, zero: ir.Value, lanes: int) -> ir.Value:
    """Vectors of bytes round(clamp(x, low, high)) + zero; a NaN becomes low."""
    whole = round_away(bd, v.clamp(bd, low, high, x), lanes)
    return bd.trunc(bd.add(whole, splat_word(bd, zero, lanes)), ir.VectorType(BYTE, lanes))


def store_codes(bd: ir.IRBuilder, codes: ir.Value, ptr: ir.Value) -> None:
    """Store one vector of bytes anywhere."""
    bd.store(codes, ptr, align=1)


class Limits(NamedTuple):
    """What results are held within as they become codes."""

    least: ir.Value  # float
    most: ir.Value   # float
    zero: ir.Value   # 32-bit code of 0
    floor: ir.Value  # byte, the code of `least`


def limits(bd: ir.IRBuilder, least: ir.Value, most: ir.Value, zero: ir.Value) -> Limits:
    """Of float values and a 64-bit code of 0; the codes of both limits must be bytes."""
    z, lanes = bd.trunc(zero, I32), 4
    floor = to_codes(bd, v.splat(bd, least, lanes), v.splat(bd, least, lanes), v.splat(bd, least, lanes), z, lanes)
    return Limits(least, most, z, bd.extract_element(floor, ir.Constant(I32, 0)))


def codes_of(bd: ir.IRBuilder, vectors: list[ir.Value], held: Limits, *, interleaved: bool = False) -> ir.Value:
    """round(clamp(x, least, most)) + zero of one to four vectors of floats, as one vector of bytes; a NaN becomes `least`.

    With `interleaved`, the elements of four vectors lie as `interleave` leaves them. Narrowing with saturation takes the place of the lower limit
    where there are instructions for it: rounding is monotone, so that the code of `least` can hold the bytes instead, also those of values that
    no integer can hold.
    """
    lanes = vectors[0].type.count
    if isa().lanes < 8 or lanes < 4 or len(vectors) == 1:
        least, most = v.splat(bd, held.least, lanes), v.splat(bd, held.most, lanes)
        parts = [to_codes(bd, x, least, most, held.zero, lanes) for x in vectors]
        return in_order(bd, parts) if interleaved else joined(bd, parts)
    most = v.splat(bd, held.most, lanes)
    words = [_truncated(bd, away(bd, bd.select(bd.fcmp_ordered("<", most, x), most, x), lanes)) for x in vectors]
    words += words[-1:] * (len(words) % 2)
    zero = splat_integer(bd, bd.trunc(held.zero, I16), 2 * lanes)
    halves = [_shifted(bd, _narrowed(bd, "packssdw", a, b, lanes), zero) for a, b in zip(words[::2], words[1::2], strict=True)]
    codes = _narrowed(bd, "packuswb", halves[0], halves[-1], lanes)
    floor = splat_integer(bd, held.floor, 4 * lanes)
    codes = bd.select(bd.icmp_unsigned(">", codes, floor), codes, floor)
    if not interleaved and lanes > 4:
        runs, fours = lanes // 4, bd.bitcast(codes, ints(lanes))
        order = ir.Constant(ints(lanes), [4 * (i % runs) + i // runs for i in range(lanes)])
        codes = bd.bitcast(bd.shuffle_vector(fours, fours, order), codes.type)
    return cut(bd, codes, 0, len(vectors) * lanes)


def _truncated(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """As 32-bit integers; a NaN and what does not fit become the smallest."""
    lanes = x.type.count
    masked = [ir.Constant(ints(lanes), [0] * lanes), ir.Constant(I16, -1), ir.Constant(I32, 4)] if lanes == 16 else []
    args = [x, *masked]
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(ints(lanes), [a.type for a in args]), _TRUNCATE[lanes])
    return bd.call(f, args)


def _narrowed(bd: ir.IRBuilder, instruction: str, a: ir.Value, b: ir.Value, lanes: int) -> ir.Value:
    """Integers of half the width, saturated: in every piece of 128 bits those of a, then those of b."""
    family, end = _FAMILY[lanes]
    narrow = ir.VectorType(ir.IntType(a.type.element.width // 2), 2 * a.type.count)
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(narrow, [a.type] * 2), f"llvm.x86.{family}.{instruction}{end}")
    return bd.call(f, [a, b])


def _shifted(bd: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    """a + b of 16-bit integers, saturated."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(a.type, [a.type] * 2), f"llvm.sadd.sat.v{a.type.count}i16")
    return bd.call(f, [a, b])


def splat_integer(bd: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """An integer of any width in every lane."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = bd.insert_element(undefined, value, ir.Constant(I32, 0))
    return bd.shuffle_vector(first, undefined, ir.Constant(ints(lanes), [0] * lanes))

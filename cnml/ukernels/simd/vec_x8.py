"""Vectors of unsigned bytes: codes of quantized values, with a zero point."""
from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba.core import cgutils

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.dot4 import I16, ints, splat_word
from cnml.ukernels.simd.interleave import cut, in_order, joined
from cnml.ukernels.simd.pointer import BYTE, I32, word

#: the largest float32 below a half: added to a magnitude below 2**22 and truncated, it rounds halves up and nothing else
ALMOST_HALF = 0.49999997
#: lanes → the instruction set that has vectors of so many words, and the end of its names
_FAMILY = {16: ("avx512", ".512"), 8: ("avx2", ""), 4: ("sse2", ".128")}
_MULTIPLY = {16: "llvm.x86.avx512.pmul.hr.sw.512", 8: "llvm.x86.avx2.pmul.hr.sw", 4: "llvm.x86.ssse3.pmul.hr.sw.128"}
_TRUNCATE = {16: "llvm.x86.avx512.mask.cvttps2dq.512", 8: "llvm.x86.avx.cvtt.ps2dq.256", 4: "llvm.x86.sse2.cvttps2dq"}


#: `codes_of` takes values times this
SCALE = 2 if isa().lanes >= 8 else 1


def load_ints(bd: ir.IRBuilder, ptr: ir.Value, lanes: int, mask: ir.Value | None = None) -> ir.Value:
    """Load bytes, one a lane, as 32-bit integers."""
    return bd.zext(load_bytes(bd, ptr, lanes, mask), ints(lanes))


def load_bytes(bd: ir.IRBuilder, ptr: ir.Value, n: int, mask: ir.Value | None = None) -> ir.Value:
    """Load bytes; those outside of the mask become 0 and their memory is not touched."""
    typ = ir.VectorType(BYTE, n)
    if mask is None:
        return bd.load(ptr, align=1, typ=typ)
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(typ, [ptr.type, I32, mask.type, typ]), f"llvm.masked.load.v{n}i8.p0")
    return bd.call(f, [ptr, ir.Constant(I32, 1), mask, ir.Constant(typ, [0] * n)])


def store_bytes(bd: ir.IRBuilder, value: ir.Value, ptr: ir.Value, mask: ir.Value | None) -> None:
    """Store the bytes of the mask; no mask: all."""
    if mask is None:
        bd.store(value, ptr, align=1)
        return
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(ir.VoidType(), [value.type, ptr.type, I32, mask.type]),
                                       f"llvm.masked.store.v{value.type.count}i8.p0")
    bd.call(f, [value, ptr, ir.Constant(I32, 1), mask])


def column_mask(bd: ir.IRBuilder, columns: ir.Value, n: int) -> ir.Value:
    """The mask of the first `columns` (a 64-bit value, which may be negative or more than there are) of n elements, 64 at most."""
    some = bd.and_(bd.icmp_signed(">", columns, word(0)), bd.icmp_signed("<", columns, word(n)))
    part = bd.sub(bd.shl(word(1), bd.and_(columns, word(63))), word(1))
    bits = bd.select(some, part, bd.select(bd.icmp_signed(">", columns, word(0)), word(-1), word(0)))
    return bd.bitcast(bits if n == 64 else bd.trunc(bits, ir.IntType(n)), ir.VectorType(ir.IntType(1), n))


def store_columns(bd: ir.IRBuilder, codes: ir.Value, ptr: ir.Value, columns: ir.Value | None) -> None:
    """Store the first `columns` bytes of a vector; None: all."""
    if columns is None:
        store_codes(bd, codes, ptr)
        return
    n = codes.type.count
    wide = 1 << (n - 1).bit_length()  # only powers of two have masks
    if wide != n:
        codes = bd.shuffle_vector(codes, codes, ir.Constant(ints(wide), [i % n for i in range(wide)]))
        columns = bd.select(bd.icmp_signed("<", columns, word(n)), columns, word(n))
    store_bytes(bd, codes, ptr, column_mask(bd, columns, wide))


def to_floats(bd: ir.IRBuilder, codes: ir.Value, zero: ir.Value, lanes: int) -> ir.Value:
    """codes - zero as float32; `zero` is a 32-bit value."""
    return bd.sitofp(bd.sub(codes, splat_word(bd, zero, lanes)), v.vec(lanes))


def round_away(bd: ir.IRBuilder, x: ir.Value, lanes: int) -> ir.Value:
    """Magnitudes below 2**22 to the nearest 32-bit integer, halves away from zero."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(x.type, [x.type] * 2), f"llvm.copysign.v{lanes}f32")
    part = bd.call(f, [ir.Constant(x.type, [ALMOST_HALF] * lanes), x])
    return bd.fptosi(bd.fadd(x, part), ints(lanes))


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


def scaled(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """x * SCALE, which is exact: what `codes_of` wants."""
    return bd.fadd(x, x) if SCALE == 2 else x


def codes_of(bd: ir.IRBuilder, vectors: list[ir.Value], held: Limits, *, interleaved: bool = False, easy: bool = False) -> ir.Value:
    """round(clamp(x, least, most)) + zero as one vector of bytes, of one to four vectors of x * SCALE; a NaN becomes `least`.

    With `interleaved`, the elements of four vectors lie as `interleave` leaves them. `easy` promises that `least` is not negative, and x * SCALE
    neither a NaN nor beyond what 32-bit integers hold.

    Where there are instructions that narrow with saturation, halves are counted in integers: n halves, truncated, are (n + 1) >> 1 rounded if
    positive, else n >> 1. And since rounding is monotone, the codes of the limits can hold the bytes instead of the limits the floats.
    """
    lanes = vectors[0].type.count
    if SCALE == 1:
        least, most = v.splat(bd, held.least, lanes), v.splat(bd, held.most, lanes)
        parts = [to_codes(bd, x, least, most, held.zero, lanes) for x in vectors]
        return in_order(bd, parts) if interleaved else joined(bd, parts)
    if lanes < 4:
        one = ir.Constant(ints(4), [0] * 4)
        return cut(bd, codes_of(bd, [bd.shuffle_vector(x, x, one) for x in vectors], held, easy=easy), 0, lanes)
    if not easy:  # the smallest integer stands for what is too large as well
        most = v.splat(bd, scaled(bd, held.most), lanes)
        vectors = [bd.select(bd.fcmp_ordered("<", most, x), most, x) for x in vectors]
    words = [_truncated(bd, x) for x in vectors]
    words += words[-1:] * (len(words) % 2)
    narrowed = [_narrowed(bd, "packssdw", a, b, lanes) for a, b in zip(words[::2], words[1::2], strict=True)]
    halves = [_halved(bd, n, lanes) if easy else _half(bd, n, held.zero) for n in narrowed]
    codes = _narrowed(bd, "packuswb", halves[0], halves[-1], lanes)
    floor, ceiling = (splat_integer(bd, _code(bd, x, held.zero), 4 * lanes) for x in (held.least, held.most))
    if easy:
        codes = _sum(bd, codes, splat_integer(bd, bd.trunc(held.zero, BYTE), 4 * lanes), "uadd")
        codes = bd.select(bd.icmp_unsigned("<", codes, ceiling), codes, ceiling)
    codes = bd.select(bd.icmp_unsigned(">", codes, floor), codes, floor)
    if not interleaved and lanes > 4:
        runs, fours = lanes // 4, bd.bitcast(codes, ints(lanes))
        order = ir.Constant(ints(lanes), [4 * (i % runs) + i // runs for i in range(lanes)])
        codes = bd.bitcast(bd.shuffle_vector(fours, fours, order), codes.type)
    return cut(bd, codes, 0, len(vectors) * lanes)


def _code(bd: ir.IRBuilder, limit: ir.Value, zero: ir.Value) -> ir.Value:
    """The byte of a float."""
    x = v.splat(bd, limit, 4)
    return bd.extract_element(to_codes(bd, x, x, x, zero, 4), ir.Constant(I32, 0))


def _half(bd: ir.IRBuilder, n: ir.Value, zero: ir.Value) -> ir.Value:
    """16-bit halves, truncated, as integers rounded away from zero, and the code of 0 added."""
    count = n.type.count
    sign = bd.ashr(n, ir.Constant(n.type, [15] * count))
    up = bd.trunc(bd.add(bd.shl(zero, ir.Constant(I32, 1)), ir.Constant(I32, 1)), I16)
    return bd.ashr(_sum(bd, _sum(bd, n, sign), splat_integer(bd, up, count)), ir.Constant(n.type, [1] * count))


def _halved(bd: ir.IRBuilder, n: ir.Value, lanes: int) -> ir.Value:
    """(n + 1) >> 1 of 16-bit integers: their rounded products with a half."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(n.type, [n.type] * 2), _MULTIPLY[lanes])
    return bd.call(f, [n, ir.Constant(n.type, [1 << 14] * n.type.count)])


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


def _sum(bd: ir.IRBuilder, a: ir.Value, b: ir.Value, kind: str = "sadd") -> ir.Value:
    """a + b of integers, saturated; signed, or unsigned for "uadd"."""
    name = f"llvm.{kind}.sat.v{a.type.count}i{a.type.element.width}"
    return bd.call(cgutils.get_or_insert_function(bd.module, ir.FunctionType(a.type, [a.type] * 2), name), [a, b])


def splat_integer(bd: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """An integer of any width in every lane."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = bd.insert_element(undefined, value, ir.Constant(I32, 0))
    return bd.shuffle_vector(first, undefined, ir.Constant(ints(lanes), [0] * lanes))

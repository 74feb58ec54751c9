"""Vectors of unsigned bytes: codes of quantized values, with a zero point."""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.dot4 import ints, splat_word
from cnml.ukernels.simd.pointer import BYTE

#: the largest float32 below a half: added to a magnitude below 2**22 and truncated, it rounds halves up and nothing else
ALMOST_HALF = 0.49999997


def load_ints(bd: ir.IRBuilder, ptr: ir.Value, lanes: int) -> ir.Value:
    """Load bytes, one a lane, as 32-bit integers."""
    return bd.zext(bd.load(ptr, align=1, typ=ir.VectorType(BYTE, lanes)), ints(lanes))


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

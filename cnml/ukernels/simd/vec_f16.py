"""Half precision in memory, float32 in registers."""
from __future__ import annotations

from llvmlite import ir

from cnml.cpu import converts_half
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.pointer import I32

LARGEST = 65504.0
# a sum with 0.5 has steps of 2^-24 in its last place: those of the halves below 2^-14
_TINY, _STEP, _MIDDLE = 0x38800000, 2.0 ** -24, 0x3f000000


def load_stored(bd: ir.IRBuilder, ptr: ir.Value, lanes: int, item: int) -> ir.Value:
    """Load a vector that lies as float32 (`item` is 4 bytes) or as halves (2 bytes, where the CPU converts them), at an address aligned to it."""
    if item == 4:
        return v.load(bd, ptr, lanes, 4 * lanes)
    return bd.fpext(bd.load(ptr, align=2 * lanes, typ=ir.VectorType(ir.HalfType(), lanes)), v.vec(lanes))


def round_half(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """The nearest half of every lane, ties to even, at most ±65504, as float32; a NaN stays one."""
    return round_positive(bd, v.at_least(bd, _floats(-LARGEST, x.type.count), x))


def round_positive(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """`round_half` of lanes that are at least -65504."""
    lanes = x.type.count
    high = _floats(LARGEST, lanes)
    x = bd.select(bd.fcmp_ordered("<", high, x), high, x)
    if converts_half():
        return bd.fpext(bd.fptrunc(x, ir.VectorType(ir.HalfType(), lanes)), v.vec(lanes))
    return _round_bits(bd, x, lanes)


def _round_bits(bd: ir.IRBuilder, x: ir.Value, lanes: int) -> ir.Value:
    """`round_half` with integers, never by a library call. Floats are added where that rounds as wanted, with integers before and behind: fast math
    must not see through.
    """
    ints = ir.VectorType(I32, lanes)
    bits = bd.bitcast(x, ints)
    sign, size = bd.and_(bits, _ints(-0x80000000, lanes)), bd.and_(bits, _ints(0x7fffffff, lanes))
    odd = bd.and_(bd.lshr(size, _ints(13, lanes)), _ints(1, lanes))
    normal = bd.and_(bd.add(bd.add(size, _ints(0xfff, lanes)), odd), _ints(-0x2000, lanes))
    sum_bits = bd.bitcast(bd.fadd(bd.bitcast(size, v.vec(lanes)), _floats(0.5, lanes)), ints)
    steps = bd.sitofp(bd.sub(sum_bits, _ints(_MIDDLE, lanes)), v.vec(lanes))
    tiny = bd.bitcast(bd.fmul(steps, _floats(_STEP, lanes)), ints)
    chosen = bd.select(bd.icmp_unsigned("<", size, _ints(_TINY, lanes)), tiny, normal)
    rounded = bd.bitcast(bd.or_(sign, chosen), v.vec(lanes))
    return bd.select(bd.icmp_unsigned(">", size, _ints(0x7f800000, lanes)), x, rounded)


def _ints(value: int, lanes: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(I32, lanes), [value] * lanes)


def _floats(value: float, lanes: int) -> ir.Constant:
    return ir.Constant(v.vec(lanes), [value] * lanes)

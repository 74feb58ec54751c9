"""exp, log and tanh of one float32, written so that a loop over them becomes vector instructions.

Polynomials on reduced ranges, after Cephes (expf.c, logf.c, tanhf.c); within 2 units in the last place, infinities and NaN as in C.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from cnml.jit import jit

_F32, _I32 = ir.FloatType(), ir.IntType(32)

f32 = np.float32
ZERO, ONE, TWO, HALF = f32(0), f32(1), f32(2), f32(0.5)
LOG2E = f32(1.44269504088896341)
#: ln 2 in two parts, the first with few enough bits that n * LN2_HIGH is exact
LN2_HIGH, LN2_LOW = f32(0.693359375), f32(-2.12194440e-4)
EXP_LEAST, EXP_MOST = f32(-105), f32(89.5)
E0, E1, E2, E3, E4, E5 = (f32(1.9875691500e-4), f32(1.3981999507e-3), f32(8.3334519073e-3), f32(4.1665795894e-2), f32(1.6666665459e-1),
                          f32(5.0000001201e-1))
L0, L1, L2, L3, L4, L5, L6, L7, L8 = (f32(7.0376836292e-2), f32(-1.1514610310e-1), f32(1.1676998740e-1), f32(-1.2420140846e-1), f32(1.4249322787e-1),
                                      f32(-1.6668057665e-1), f32(2.0000714765e-1), f32(-2.4999993993e-1), f32(3.3333331174e-1))
T0, T1, T2, T3, T4 = f32(-5.70498872745e-3), f32(2.06390887954e-2), f32(-5.37397155531e-2), f32(1.33314422036e-1), f32(-3.33332819422e-1)
TANH_SMALL = f32(0.625)
ROOT_HALF_BITS, MANTISSA = 0x3F3504F3, 0x007FFFFF
LEAST_NORMAL, TWO23 = f32(1.17549435e-38), f32(8388608.0)
INFINITY, NAN = f32(np.inf), f32(np.nan)


@intrinsic
def multiply_add(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, as one instruction where the CPU has it."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        f = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_F32, [_F32] * 3), "llvm.fmuladd.f32")
        return builder.call(f, list(args))
    return types.float32(types.float32, types.float32, types.float32), codegen


@intrinsic
def nearest(typingctx: Any, x: Any) -> Any:
    """x rounded to an integer, halves to even."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        f = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_F32, [_F32]), "llvm.rint.f32")
        return builder.call(f, list(args))
    return types.float32(types.float32), codegen


@intrinsic
def to_int(typingctx: Any, x: Any) -> Any:
    """The int32 of a float32 that is one."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.fptosi(args[0], _I32)
    return types.int32(types.float32), codegen


@intrinsic
def power_of_two(typingctx: Any, n: Any) -> Any:
    """2 ** n for an int32 n in -126 .. 127."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        biased = builder.add(args[0], ir.Constant(_I32, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(_I32, 23)), _F32)
    return types.float32(types.int32), codegen


@intrinsic
def half_of(typingctx: Any, n: Any) -> Any:
    """n >> 1 of an int32, and n less that."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        low = builder.ashr(args[0], ir.Constant(_I32, 1))
        return context.make_tuple(builder, sig.return_type, (low, builder.sub(args[0], low)))
    return types.UniTuple(types.int32, 2)(types.int32), codegen


@intrinsic
def split_exponent(typingctx: Any, x: Any) -> Any:
    """(e, m) with x = m * 2 ** e and m from sqrt(1/2) to sqrt(2), for a positive normal x; e as float32."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.sub(builder.bitcast(args[0], _I32), ir.Constant(_I32, ROOT_HALF_BITS))
        e = builder.sitofp(builder.ashr(bits, ir.Constant(_I32, 23)), _F32)
        m = builder.add(builder.and_(bits, ir.Constant(_I32, MANTISSA)), ir.Constant(_I32, ROOT_HALF_BITS))
        return context.make_tuple(builder, sig.return_type, (e, builder.bitcast(m, _F32)))
    return types.UniTuple(types.float32, 2)(types.float32), codegen


@jit(exact=True)
def exp_f32(x):
    """e ** x."""
    t = x if x > EXP_LEAST else EXP_LEAST
    t = t if t < EXP_MOST else EXP_MOST
    n = nearest(t * LOG2E)
    r = multiply_add(n, -LN2_LOW, multiply_add(n, -LN2_HIGH, t))
    p = multiply_add(multiply_add(multiply_add(multiply_add(multiply_add(E0, r, E1), r, E2), r, E3), r, E4), r, E5)
    p = multiply_add(p, r * r, r) + ONE
    # two factors, because 2 ** n alone can overflow, or be subnormal, when the result is not
    low, high = half_of(to_int(n))
    y = p * power_of_two(low) * power_of_two(high)
    return y if x == x else x


@jit(exact=True)
def log_f32(x):
    """The natural logarithm; -inf of 0, NaN of what is less."""
    small = x < LEAST_NORMAL
    e, m = split_exponent(x * TWO23 if small else x)
    e = e - f32(23) if small else e
    f = m - ONE
    z = f * f
    p = multiply_add(multiply_add(multiply_add(multiply_add(L0, f, L1), f, L2), f, L3), f, L4)
    p = multiply_add(multiply_add(multiply_add(multiply_add(p, f, L5), f, L6), f, L7), f, L8)
    y = multiply_add(e, LN2_LOW, f * z * p)
    y = multiply_add(e, LN2_HIGH, multiply_add(-HALF, z, y) + f)
    y = y if x < INFINITY else x
    y = y if x > ZERO else (-INFINITY if x == ZERO else NAN)
    return y


@jit(exact=True)
def tanh_f32(x):
    """The hyperbolic tangent."""
    size = abs(x)
    z = x * x
    p = multiply_add(multiply_add(multiply_add(multiply_add(T0, z, T1), z, T2), z, T3), z, T4)
    near = multiply_add(p * z, x, x)
    far = ONE - TWO / (exp_f32(size + size) + ONE)
    far = -far if x < ZERO else far
    return near if size < TANH_SMALL else far


@jit(exact=True)
def sigmoid_f32(x):
    """1 / (1 + exp(-x))."""
    return ONE / (ONE + exp_f32(-x))

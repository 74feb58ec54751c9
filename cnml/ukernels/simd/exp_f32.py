"""The exponential of a vector of float32."""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.pointer import I32

#: polynomial and split of ln 2 as in `cnml.kernels.elementary_f32`, after Cephes' expf.c
_POLYNOMIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_LOG2E, _LN2_HIGH, _LN2_LOW = 1.44269504088896341, 0.693359375, -2.12194440e-4
#: below it the result would not be a normal number
LEAST = -87.33


def exp_not_positive(bd: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """e ** x for x <= 0, within 2 units in the last place; 0 where that is less than the smallest normal number. A NaN stays one."""
    t = x.type

    def same(value: float) -> ir.Constant:
        return ir.Constant(t, [value] * t.count)

    tiny = bd.fcmp_ordered("<", x, same(LEAST))
    x = bd.select(tiny, same(LEAST), x)
    rint = cgutils.get_or_insert_function(bd.module, ir.FunctionType(t, [t]), f"llvm.rint.v{t.count}f32")
    n = bd.call(rint, [bd.fmul(x, same(_LOG2E))])
    r = v.multiply_add(bd, n, same(-_LN2_LOW), v.multiply_add(bd, n, same(-_LN2_HIGH), x))
    p = same(_POLYNOMIAL[0])
    for c in _POLYNOMIAL[1:]:
        p = v.multiply_add(bd, p, r, same(c))
    p = bd.fadd(v.multiply_add(bd, p, bd.fmul(r, r), r), same(1.0))
    ints = ir.VectorType(I32, t.count)
    # p is between 0.7 and 1.5, so adding n to its exponent multiplies it by 2 ** n
    scaled = bd.add(bd.bitcast(p, ints), bd.shl(bd.fptosi(n, ints), ir.Constant(ints, [23] * t.count)))
    valid = bd.fcmp_ordered("ord", x, x)
    return bd.select(tiny, v.zeros(t.count), bd.select(valid, bd.bitcast(scaled, t), x))

"""Vectors of float32."""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from cnml.ukernels.simd.pointer import I32

F32 = ir.FloatType()


def vec(lanes: int) -> ir.VectorType:
    """The type of a vector."""
    return ir.VectorType(F32, lanes)


def zeros(lanes: int) -> ir.Constant:
    """A vector of zeros."""
    return ir.Constant(vec(lanes), [0.0] * lanes)


def load(bd: ir.IRBuilder, ptr: ir.Value, lanes: int, align: int = 4) -> ir.Value:
    """Load one vector."""
    return bd.load(ptr, align=align, typ=vec(lanes))


def store(bd: ir.IRBuilder, value: ir.Value, ptr: ir.Value) -> None:
    """Store one vector; the address need only be aligned to a float."""
    bd.store(value, ptr, align=4)


def fetch(bd: ir.IRBuilder, ptr: ir.Value) -> None:
    """Ask for a line of memory in the second-level cache; any address will do."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(ir.VoidType(), [ptr.type, I32, I32, I32]), "llvm.prefetch.p0")
    bd.call(f, [ptr, *(ir.Constant(I32, i) for i in (0, 2, 1))])


def splat(bd: ir.IRBuilder, scalar: ir.Value, lanes: int) -> ir.Value:
    """The scalar in every lane."""
    undefined = ir.Constant(vec(lanes), ir.Undefined)
    first = bd.insert_element(undefined, scalar, ir.Constant(I32, 0))
    return bd.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def load_splat(bd: ir.IRBuilder, ptr: ir.Value, lanes: int) -> ir.Value:
    """Load one float into every lane."""
    return splat(bd, bd.load(ptr, align=4, typ=F32), lanes)


def multiply_add(bd: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """a * b + c, as one instruction where the CPU has it (two elsewhere, never a library call)."""
    t = a.type
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(t, [t] * 3), f"llvm.fmuladd.v{t.count}f32")
    return bd.call(f, [a, b, c])


def multiply_rounded(bd: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    """a * b rounded to float32, also where a sum follows that a fused instruction could take it into."""
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(a.type, [a.type]), f"llvm.arithmetic.fence.v{a.type.count}f32")
    return bd.call(f, [bd.fmul(a, b)])


def at_least(bd: ir.IRBuilder, low: ir.Value, x: ir.Value) -> ir.Value:
    """low > x ? low : x; a NaN in x stays."""
    return bd.select(bd.fcmp_ordered(">", low, x), low, x)


def clamp(bd: ir.IRBuilder, low: ir.Value, high: ir.Value, x: ir.Value) -> ir.Value:
    """Caffe's Clip: max(low, min(x, high)); a NaN becomes low."""
    t = bd.select(bd.fcmp_ordered("<", high, x), high, x)
    return bd.select(bd.fcmp_ordered("<", low, t), t, low)


def leaky(bd: ir.IRBuilder, slope: ir.Value, x: ir.Value) -> ir.Value:
    """x < 0 ? slope * x : x."""
    return bd.select(bd.fcmp_ordered("<", x, zeros(x.type.count)), bd.fmul(slope, x), x)


def first_lanes(bd: ir.IRBuilder, n: ir.Value, lanes: int) -> ir.Value:
    """The mask of the lanes before lane `n` (an int64, which may be negative)."""
    wide = ir.VectorType(n.type, lanes)
    index = ir.Constant(wide, list(range(lanes)))
    undefined = ir.Constant(wide, ir.Undefined)
    limit = bd.shuffle_vector(bd.insert_element(undefined, n, ir.Constant(I32, 0)), undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))
    return bd.icmp_signed("<", index, limit)


def load_masked(bd: ir.IRBuilder, ptr: ir.Value, lanes: int, mask: ir.Value | None) -> ir.Value:
    """Load one vector; lanes outside of the mask become 0 and their memory is not touched. No mask: all lanes."""
    if mask is None:
        return load(bd, ptr, lanes)
    t = vec(lanes)
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(t, [ptr.type, I32, mask.type, t]), f"llvm.masked.load.v{lanes}f32.p0")
    return bd.call(f, [ptr, ir.Constant(I32, 4), mask, zeros(lanes)])


def store_masked(bd: ir.IRBuilder, value: ir.Value, ptr: ir.Value, mask: ir.Value | None) -> None:
    """Store the lanes of the mask; no mask: all."""
    if mask is None:
        store(bd, value, ptr)
        return
    signature = ir.FunctionType(ir.VoidType(), [value.type, ptr.type, I32, mask.type])
    f = cgutils.get_or_insert_function(bd.module, signature, f"llvm.masked.store.v{value.type.count}f32.p0")
    bd.call(f, [value, ptr, ir.Constant(I32, 4), mask])


def gather_sums(bd: ir.IRBuilder, vectors: list[ir.Value], lanes: int) -> ir.Value:
    """Lane i is the sum over the lanes of vector i; the other lanes are 0."""
    result = zeros(lanes)
    for i, x in enumerate(vectors):
        half = lanes // 2
        while half:
            other = bd.shuffle_vector(x, x, ir.Constant(ir.VectorType(I32, lanes), [(j + half) % lanes for j in range(lanes)]))
            x = bd.fadd(x, other)
            half //= 2
        result = bd.insert_element(result, bd.extract_element(x, ir.Constant(I32, 0)), ir.Constant(I32, i))
    return result

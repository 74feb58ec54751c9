"""Products of two signed 16-bit integers in a 32-bit word, summed in 32 bits modulo 2**32.

Three ways with equal results (`cnml.cpu.dot_kind` chooses): "vnni" has an instruction for it, "pairs" multiplies and adds neighbours, "plain" is for
any target. All take the same words, so weights are packed alike for all of them.
"""
from __future__ import annotations

from llvmlite import binding, ir
from numba.core import cgutils

from cnml.ukernels.simd.dot4 import I16, ints, splat_word
from cnml.ukernels.simd.pointer import I32

_MULTIPLY = {16: "llvm.x86.avx512.pmaddw.d.512", 8: "llvm.x86.avx2.pmadd.wd", 4: "llvm.x86.sse2.pmadd.wd"}


def load_words(bd: ir.IRBuilder, ptr: ir.Value, lanes: int) -> ir.Value:
    """Load a vector of words."""
    return bd.load(ptr, align=4, typ=ints(lanes))


def load_word_splat(bd: ir.IRBuilder, ptr: ir.Value, lanes: int) -> ir.Value:
    """Load one word for all lanes."""
    return splat_word(bd, bd.load(ptr, align=4, typ=I32), lanes)


def add_products(bd: ir.IRBuilder, kind: str, sums: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
    """sums + the products of both halves of the words in every lane.

    Parameters
    ----------
    bd : IRBuilder
    kind : str
        "vnni", "pairs" or "plain".
    sums, a, b : vectors of 32-bit integers

    Returns
    -------
    ir.Value
    """
    lanes = sums.type.count
    if kind == "plain":
        half = ir.Constant(sums.type, [16] * lanes)
        low = bd.mul(*(bd.ashr(bd.shl(x, half), half) for x in (a, b)))
        return bd.add(bd.add(sums, low), bd.mul(bd.ashr(a, half), bd.ashr(b, half)))
    pairs = ir.VectorType(I16, 2 * lanes)
    if kind == "pairs":
        f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(sums.type, [pairs, pairs]), _MULTIPLY[lanes])
        return bd.add(sums, bd.call(f, [bd.bitcast(a, pairs), bd.bitcast(b, pairs)]))
    # LLVM 22 types the operands as 16-bit integers, earlier ones as words
    operand = pairs if binding.llvm_version_info[0] >= 22 else sums.type
    f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(sums.type, [sums.type, operand, operand]),
                                       f"llvm.x86.avx512.vpdpwssd.{32 * lanes}")
    return bd.call(f, [sums, bd.bitcast(a, operand), bd.bitcast(b, operand)])

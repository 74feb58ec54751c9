"""Products of four bytes in a 32-bit word: unsigned inputs times signed weights, summed in 32 bits without saturation.

Three ways with equal results (`cnml.cpu.dot_kind` chooses). "vnni" has an instruction for it; "pairs" widens both sides to 16 bits, multiplies and
adds neighbours; "plain" is for any target. A vector of weights is `4 * lanes` bytes for one word of depth, in the order that
`cnml.kernels.conv_pack_qs8.arranged` gives.
"""
from __future__ import annotations

from typing import NamedTuple

from llvmlite import binding, ir
from numba.core import cgutils

from cnml.ukernels.simd.pointer import BYTE, I32, at

I16 = ir.IntType(16)


def ints(lanes: int) -> ir.VectorType:
    """The type of a vector of sums."""
    return ir.VectorType(I32, lanes)


def splat_word(bd: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """A 32-bit word in every lane."""
    undefined = ir.Constant(ints(lanes), ir.Undefined)
    return bd.shuffle_vector(bd.insert_element(undefined, value, ir.Constant(I32, 0)), undefined, ir.Constant(ints(lanes), [0] * lanes))


class Dot(NamedTuple):
    """One way of multiplying: a weight operand, an input operand, and their products added to sums."""

    kind: str
    lanes: int

    def weights(self, bd: ir.IRBuilder, ptr: ir.Value) -> list[ir.Value]:
        """Load one vector of weights."""
        n = self.lanes
        if self.kind == "vnni":
            return [bd.load(ptr, align=1, typ=ir.VectorType(BYTE, 4 * n))]
        if self.kind == "pairs":
            halves = [bd.load(at(bd, ptr, 2 * n * half), align=1, typ=ir.VectorType(BYTE, 2 * n)) for half in (0, 1)]
            return [bd.sext(h, ir.VectorType(I16, 2 * n)) for h in halves]
        return [bd.sext(bd.load(at(bd, ptr, n * k), align=1, typ=ir.VectorType(BYTE, n)), ints(n)) for k in range(4)]

    def inputs(self, bd: ir.IRBuilder, ptr: ir.Value) -> list[ir.Value]:
        """Load one word of input for all lanes."""
        return self.operands(bd, splat_word(bd, bd.load(ptr, align=1, typ=I32), self.lanes))

    def operands(self, bd: ir.IRBuilder, words: ir.Value) -> list[ir.Value]:
        """A word of input for every lane."""
        n = self.lanes
        if self.kind == "vnni":
            return [bd.bitcast(words, ir.VectorType(BYTE, 4 * n))]
        if self.kind == "pairs":
            halves = ir.VectorType(I16, 2 * n)
            low = bd.and_(words, ir.Constant(ints(n), [0x00FF00FF] * n))
            return [bd.bitcast(low, halves), bd.lshr(bd.bitcast(words, halves), ir.Constant(halves, [8] * 2 * n))]
        byte = ir.Constant(ints(n), [255] * n)
        return [bd.and_(bd.lshr(words, ir.Constant(ints(n), [8 * k] * n)), byte) for k in range(4)]

    def add(self, bd: ir.IRBuilder, sums: ir.Value, x: list[ir.Value], w: list[ir.Value]) -> ir.Value:
        """sums + the products of four bytes in every lane."""
        if self.kind == "vnni":
            return self._vnni(bd, sums, x[0], w[0])
        for a, b in zip(x, w, strict=True):
            sums = bd.add(sums, bd.mul(a, b) if self.kind == "plain" else self._pairs(bd, a, b))
        return sums

    def _vnni(self, bd: ir.IRBuilder, sums: ir.Value, x: ir.Value, w: ir.Value) -> ir.Value:
        # LLVM 22 types the operands as bytes, earlier ones as words
        operand = x.type if binding.llvm_version_info[0] >= 22 else sums.type
        f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(sums.type, [sums.type, operand, operand]),
                                           f"llvm.x86.avx512.vpdpbusd.{32 * self.lanes}")
        return bd.call(f, [sums, bd.bitcast(x, operand), bd.bitcast(w, operand)])

    def _pairs(self, bd: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
        name = {16: "llvm.x86.avx512.pmaddw.d.512", 8: "llvm.x86.avx2.pmadd.wd", 4: "llvm.x86.sse2.pmadd.wd"}[self.lanes]
        f = cgutils.get_or_insert_function(bd.module, ir.FunctionType(ints(self.lanes), [a.type, b.type]), name)
        return bd.call(f, [a, b])

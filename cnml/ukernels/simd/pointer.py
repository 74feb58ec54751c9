"""Addresses: integers that Numba carries, pointers that LLVM loads from."""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

BYTE, I32, I64, PTR = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.PointerType()


def word(value: int) -> ir.Constant:
    """A 64-bit constant."""
    return ir.Constant(I64, value)


def pointer(bd: ir.IRBuilder, address: ir.Value) -> ir.Value:
    """The pointer at an address."""
    return bd.inttoptr(address, PTR)


def at(bd: ir.IRBuilder, base: ir.Value, offset: ir.Value | int) -> ir.Value:
    """The pointer `offset` bytes after `base`."""
    return bd.gep(base, [word(offset) if isinstance(offset, int) else offset], source_etype=BYTE)


def load_word(bd: ir.IRBuilder, base: ir.Value, index: ir.Value | int) -> ir.Value:
    """The 64-bit word `index` of a table."""
    return bd.load(bd.gep(base, [word(index) if isinstance(index, int) else index], source_etype=I64), align=8, typ=I64)


def prefetch(bd: ir.IRBuilder, ptr: ir.Value, *, write: bool = False) -> None:
    """Ask for a line of memory to be brought near; any address will do."""
    signature = ir.FunctionType(ir.VoidType(), [ptr.type, I32, I32, I32])
    f = cgutils.get_or_insert_function(bd.module, signature, "llvm.prefetch.p0")
    bd.call(f, [ptr, ir.Constant(I32, int(write)), ir.Constant(I32, 3 if write else 2), ir.Constant(I32, 1)])

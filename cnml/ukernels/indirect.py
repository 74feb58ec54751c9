"""Calls of compiled code by address, and addresses of code that the linker knows."""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.core.extending import intrinsic

_I64 = ir.IntType(64)


@intrinsic(prefer_literal=True)
def symbol_address(typingctx: Any, name: Any) -> Any:
    """The address of a name given to the linker with `cnml.ukernels.simd.symbol.define`."""
    if not isinstance(name, types.StringLiteral):
        raise TypingError(f"symbol_address needs its name as a constant, got {name}")

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), name.literal_value)
        return builder.ptrtoint(function, _I64)
    return types.int64(name), codegen


@intrinsic
def call_words(typingctx: Any, function: Any, words: Any) -> Any:
    """Call `void f(int64, …)` at an address with the integers of a tuple."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        values = [builder.extract_value(args[1], i) for i in range(len(words))]
        kind = ir.FunctionType(ir.VoidType(), [_I64] * len(words))
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), values)
        return context.get_dummy_value()
    return types.void(types.int64, types.UniTuple(types.int64, len(words))), codegen

"""Whether a kernel works in place, asked so that the compiler does not learn the answer."""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.extending import intrinsic

from cnml.jit import jit
from cnml.kernels.argblock import word

_I64 = ir.IntType(64)


@intrinsic
def _hidden(typingctx: Any, value: Any) -> Any:
    """The value itself, as one that LLVM knows nothing about."""
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        nothing = ir.InlineAsm(ir.FunctionType(_I64, [_I64]), "", "=r,0")
        return builder.call(nothing, list(args))
    return types.int64(types.int64), codegen


@jit(forceinline=True)
def in_place(args, i, j):
    """Whether arguments i and j are one array.

    A loop over two arrays gets a check at run time whether they overlap, and stays scalar if they do; a loop over one array passed twice does not
    need it. But a plain comparison of the addresses would let LLVM make the two loops one again.
    """
    return _hidden(word(args, i)) == word(args, j)

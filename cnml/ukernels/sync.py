"""What tasks need of each other and of native code: atomics, a pause, calls by address."""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

_I32, _I64 = ir.IntType(32), ir.IntType(64)


@intrinsic
def call_kernel(typingctx: Any, function: Any, args: Any, task_id: Any, task_dim: Any) -> Any:
    """Call the kernel at an address."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_I64] * 3)
        builder.call(builder.inttoptr(a[0], kind.as_pointer()), list(a[1:]))
        return context.get_dummy_value()
    return types.void(*[types.int64] * 4), codegen


@intrinsic
def call_yield(typingctx: Any, function: Any) -> Any:
    """Call `int f(void)`: `sched_yield`, `SwitchToThread`."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        kind = ir.FunctionType(_I32, [])
        builder.call(builder.inttoptr(a[0], kind.as_pointer()), [])
        return context.get_dummy_value()
    return types.void(types.int64), codegen


@intrinsic
def call_system(typingctx: Any, function: Any, number: Any, first: Any, second: Any, third: Any) -> Any:
    """Call the C library's `syscall` with three arguments and zeros behind them."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        kind = ir.FunctionType(_I64, [_I64] * 7)
        return builder.call(builder.inttoptr(a[0], kind.as_pointer()), [*a[1:], *[ir.Constant(_I64, 0)] * 3])
    return types.int64(*[types.int64] * 5), codegen


@intrinsic
def add_atomic(typingctx: Any, address: Any, value: Any) -> Any:
    """Add to an int64 in shared memory, sequentially consistent; returns what stood there."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(a[0], _I64.as_pointer()), a[1], "seq_cst")
    return types.int64(types.int64, types.int64), codegen


@intrinsic
def load_atomic(typingctx: Any, address: Any) -> Any:
    """Read an int64 of shared memory, sequentially consistent."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(a[0], _I64.as_pointer()), "seq_cst", 8, typ=_I64)
    return types.int64(types.int64), codegen


@intrinsic
def store_atomic(typingctx: Any, address: Any, value: Any) -> Any:
    """Write an int64 of shared memory, release."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        builder.store_atomic(a[1], builder.inttoptr(a[0], _I64.as_pointer()), "release", 8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), codegen


@intrinsic
def exchange_atomic(typingctx: Any, address: Any, old: Any, new: Any) -> Any:
    """Put `new` into an int64 of shared memory if `old` stands there, sequentially consistent; returns what stood there."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        pair = builder.cmpxchg(builder.inttoptr(a[0], _I64.as_pointer()), a[1], a[2], "seq_cst", "seq_cst")
        return builder.extract_value(pair, 0)
    return types.int64(types.int64, types.int64, types.int64), codegen


@intrinsic
def pause(typingctx: Any) -> Any:
    """The processor's hint for a spinning loop; nothing where there is none."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        triple = builder.module.triple
        if triple.startswith(("x86_64", "i386", "i686")):
            hint = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause")
            builder.call(hint, [])
        elif triple.startswith(("aarch64", "arm64")):
            hint = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [_I32]), "llvm.aarch64.hint")
            builder.call(hint, [ir.Constant(_I32, 1)])
        return context.get_dummy_value()
    return types.void(), codegen

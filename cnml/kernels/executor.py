"""The walker of instruction tables: what every core of a device runs."""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word

_I64, _PTR = ir.IntType(64), ir.PointerType()
#: bytes into the barrier's memory: arrivals at 0, generation and "task 0 is done" on cache lines of their own
GENERATION = 64
DONE = 128
SPINS = 1000


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
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(builder.inttoptr(a[0], kind.as_pointer()), [])
        return context.get_dummy_value()
    return types.void(types.int64), codegen


@intrinsic
def add_atomic(typingctx: Any, address: Any, value: Any) -> Any:
    """Add to an int64 in shared memory, acquire and release; returns what stood there."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(a[0], _I64.as_pointer()), a[1], "acq_rel")
    return types.int64(types.int64, types.int64), codegen


@intrinsic
def load_atomic(typingctx: Any, address: Any) -> Any:
    """Read an int64 of shared memory, acquire."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(a[0], _I64.as_pointer()), "acquire", 8, typ=_I64)
    return types.int64(types.int64), codegen


@intrinsic
def store_atomic(typingctx: Any, address: Any, value: Any) -> Any:
    """Write an int64 of shared memory, release."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        builder.store_atomic(a[1], builder.inttoptr(a[0], _I64.as_pointer()), "release", 8)
        return context.get_dummy_value()
    return types.void(types.int64, types.int64), codegen


@intrinsic
def pause(typingctx: Any) -> Any:
    """The processor's hint for a spinning loop; nothing where there is none."""
    def codegen(context: Any, builder: Any, sig: Any, a: Any) -> Any:
        triple = builder.module.triple
        if triple.startswith(("x86_64", "i386", "i686")):
            hint = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause")
            builder.call(hint, [])
        elif triple.startswith(("aarch64", "arm64")):
            hint = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [ir.IntType(32)]), "llvm.aarch64.hint")
            builder.call(hint, [ir.Constant(ir.IntType(32), 1)])
        return context.get_dummy_value()
    return types.void(), codegen


@jit(exact=True)
def wait_for_all(barrier, task_dim, yield_function):
    """Return when `task_dim` tasks have come. Spins briefly, then gives the core away: a task may be waiting for this very core."""
    generation = load_atomic(barrier + GENERATION)
    if add_atomic(barrier, 1) + 1 == task_dim:
        store_atomic(barrier, 0)
        add_atomic(barrier + GENERATION, 1)
        return
    for _ in range(SPINS):
        if load_atomic(barrier + GENERATION) != generation:
            return
        pause()
    while load_atomic(barrier + GENERATION) == generation:
        if yield_function != 0:
            call_yield(yield_function)
        else:
            pause()


@kernel("executor", exact=True, words=6)
def executor(table, n, task_id, task_dim, barrier, yield_function):
    """Run n rows (kernel address, argument address) of a table; tasks meet after every row, so the call returns when all have finished."""
    for i in range(n):
        call_kernel(word(table, 2 * i), word(table, 2 * i + 1), task_id, task_dim)
        if task_dim > 1:
            wait_for_all(barrier, task_dim, yield_function)
    if task_dim > 1 and task_id == 0:
        store_atomic(barrier + DONE, 1)

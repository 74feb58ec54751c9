"""The walker of instruction tables: what every core of a device runs."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.sync import add_atomic, call_kernel, call_yield, load_atomic, pause, store_atomic

#: bytes into the barrier's memory: arrivals at 0, generation and "task 0 is done" on cache lines of their own
GENERATION = 64
DONE = 128
SPINS = 1000


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

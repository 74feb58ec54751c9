"""The walker of instruction tables: what every core of a device runs."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.sync import add_atomic, call_kernel, call_system, call_yield, load_atomic, pause, store_atomic

# the barrier's memory, in bytes: what several tasks write lies on cache lines of its own
GENERATION = 64
DONE = 128
SLEEPERS = 192
#: address of the C library's `syscall`, and the number of `futex`; 0 where there is none
SYSCALL, FUTEX = 256, 264

SPINS = 1000
FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE, EVERYBODY = 128, 129, 1 << 30


@jit(exact=True)
def wait_for_all(barrier, task_dim, yield_function):
    """Return when `task_dim` tasks have come.

    Spins briefly, then leaves the core: the task it waits for may be queueing for one. Sleeping is better than yielding, because only a core without
    anything to run fetches a waiting thread from another.
    """
    generation = load_atomic(barrier + GENERATION)
    if add_atomic(barrier, 1) + 1 == task_dim:
        store_atomic(barrier, 0)
        add_atomic(barrier + GENERATION, 1)
        if load_atomic(barrier + SLEEPERS) != 0:
            call_system(word(barrier + SYSCALL, 0), word(barrier + FUTEX, 0), barrier + GENERATION, FUTEX_WAKE_PRIVATE, EVERYBODY)
        return
    for _ in range(SPINS):
        if load_atomic(barrier + GENERATION) != generation:
            return
        pause()
    system, futex = word(barrier + SYSCALL, 0), word(barrier + FUTEX, 0)
    if system != 0:
        add_atomic(barrier + SLEEPERS, 1)
        while load_atomic(barrier + GENERATION) == generation:
            # returns at once if the generation (its low half, on the little-endian systems that have this) has moved on meanwhile
            call_system(system, futex, barrier + GENERATION, FUTEX_WAIT_PRIVATE, generation & 0xFFFFFFFF)
        add_atomic(barrier + SLEEPERS, -1)
        return
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

"""The walker of instruction tables: what every core of a device runs, how the caller starts the others, and how those wait for work.

All of it is native, so that starting a function on several cores takes no other thread's GIL: a helper that had to wait for the GIL would come
as late as five milliseconds when another Python thread is busy.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.ukernels.sync import add_atomic, call_kernel, call_system, call_yield, exchange_atomic, load_atomic, pause, store_atomic

# the barrier's memory, in bytes: what several tasks write lies on cache lines of its own
GENERATION = 64
DONE, WAITERS = 128, 136
SLEEPERS = 192
#: address of the C library's `syscall`, and the numbers of `futex`, `getcpu`, `sched_getaffinity`, `sched_setaffinity`; 0 where there is none
SYSCALL, FUTEX, GETCPU, GETAFFINITY, SETAFFINITY = 256, 264, 272, 280, 288
#: where `getcpu` writes (a helper's mailbox), and in the barrier, two words for each task: the processor it was seen on last, plus 1, and the
#: generation of the last row of which somebody took its piece, plus 1
CPU, PLACES, PLACE_BYTES, TAKEN = 296, 320, 16, 8

# a helper's mailbox, in bytes: jobs posted so far, whether it sleeps, a number that is odd while a job stands there that nobody entered or withdrew,
# and from JOB on the job (from SYSCALL to CPU as in the barrier)
POSTED, ASLEEP, TICKET, JOB = 0, 64, 72, 128
#: the helper's thread as the system calls it; whether the caller narrowed its affinity, the affinity it had, and the narrow one
THREAD, NARROWED, AFFINITY, NARROW, AFFINITY_BYTES = 304, 312, 384, 512, 128

#: about 30 µs, and 250 more if no two tasks are on one processor
SPINS, MORE_SPINS = 1000, 8000
#: of a helper that is done, before it sleeps: about 300 µs, the time between two forwards
IDLE_SPINS = 10000
FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE, EVERYBODY = 128, 129, 1 << 30


@jit(exact=True)
def sleep_while(place, value, control):
    """Sleep until the int64 at `place` differs from `value` (its low half, on the little-endian systems that have this)."""
    system, futex = word(control + SYSCALL, 0), word(control + FUTEX, 0)
    while load_atomic(place) == value:
        call_system(system, futex, place, FUTEX_WAIT_PRIVATE, value & 0xFFFFFFFF)


@jit(exact=True)
def wake(place, control):
    """Wake all that sleep at `place`."""
    call_system(word(control + SYSCALL, 0), word(control + FUTEX, 0), place, FUTEX_WAKE_PRIVATE, EVERYBODY)


@jit(exact=True)
def note_place(barrier, task_id):
    """Note on which processor the calling task is."""
    place = barrier + PLACES + PLACE_BYTES * task_id
    if word(barrier + GETCPU, 0) != 0:
        store_atomic(place, 0)
        call_system(word(barrier + SYSCALL, 0), word(barrier + GETCPU, 0), place, 0, 0)
        add_atomic(place, 1)


@jit(exact=True)
def is_alone(barrier, task_id, task_dim):
    """Whether no other task was seen on the calling task's processor."""
    here = load_atomic(barrier + PLACES + PLACE_BYTES * task_id)
    for other in range(task_dim):
        if other != task_id and load_atomic(barrier + PLACES + PLACE_BYTES * other) == here:
            return False
    return True


@jit(exact=True)
def narrow(mailbox, thread, here):
    """Take processor `here` from those that a helper's thread (0: the caller itself) may use; False if that is not to be had."""
    system = word(mailbox + SYSCALL, 0)
    size, others = call_system(system, word(mailbox + GETAFFINITY, 0), thread, AFFINITY_BYTES, mailbox + AFFINITY), 0
    for i in range(size // 8):
        allowed = word(mailbox + AFFINITY, i)
        if i == here // 64:
            allowed &= ~(1 << (here % 64))
        store_atomic(mailbox + NARROW + 8 * i, allowed)
        others |= allowed
    if others == 0 or call_system(system, word(mailbox + SETAFFINITY, 0), thread, size, mailbox + NARROW) != 0:
        return False
    store_atomic(mailbox + NARROWED, size)
    return True


@jit(exact=True)
def come_back(mailbox):
    """Give the calling helper its affinity back, after `narrow`; the system leaves it where it is now for a while."""
    size = load_atomic(mailbox + NARROWED)
    if size != 0:
        call_system(word(mailbox + SYSCALL, 0), word(mailbox + SETAFFINITY, 0), 0, size, mailbox + AFFINITY)
        store_atomic(mailbox + NARROWED, 0)  # last: who finds it set leaves the affinity alone


@jit(exact=True)
def leave_caller(barrier, mailbox, task_id):
    """Move the calling helper to another processor if it is on task 0's."""
    here = load_atomic(barrier + PLACES + PLACE_BYTES * task_id)
    if here != 0 and here == load_atomic(barrier + PLACES) and narrow(mailbox, 0, here - 1):
        come_back(mailbox)
        note_place(barrier, task_id)


@jit(exact=True)
def spin_while(place, value, turns):
    """Spin until the int64 at `place` differs from `value`; False if it still does not."""
    for _ in range(turns):
        if load_atomic(place) != value:
            return True
        pause()
    return False


@jit(exact=True)
def wait_for_all(barrier, task_id, task_dim, yield_function, mailbox):
    """Return when `task_dim` tasks have come.

    Spins briefly, then leaves the core: the task it waits for may be queueing for one. Sleeping is better than yielding, because only a core without
    anything to run fetches a waiting thread from another. But the idle processors of a virtual machine look busy to the system, which then wakes the
    sleeper on the waker's processor: so it spins longer where no two tasks are on one, and a helper (which has a mailbox) moves away after that.
    """
    generation = load_atomic(barrier + GENERATION)
    if not arrive(barrier, task_dim):
        wait_while(barrier, generation, task_id, task_dim, yield_function, mailbox)


@jit(exact=True)
def arrive(barrier, task_dim):
    """Count one of `task_dim`; the last begins the next generation and gets True."""
    if add_atomic(barrier, 1) + 1 != task_dim:
        return False
    store_atomic(barrier, 0)
    add_atomic(barrier + GENERATION, 1)
    if load_atomic(barrier + SLEEPERS) != 0:
        wake(barrier + GENERATION, barrier)
    return True


@jit(exact=True)
def wait_while(barrier, generation, task_id, task_dim, yield_function, mailbox):
    """Return when a generation is over, see `wait_for_all`."""
    if spin_while(barrier + GENERATION, generation, SPINS):
        return
    if word(barrier + SYSCALL, 0) != 0:
        note_place(barrier, task_id)
        if is_alone(barrier, task_id, task_dim) and spin_while(barrier + GENERATION, generation, MORE_SPINS):
            return
        add_atomic(barrier + SLEEPERS, 1)
        sleep_while(barrier + GENERATION, generation, barrier)
        add_atomic(barrier + SLEEPERS, -1)
        note_place(barrier, task_id)
        if mailbox != 0:
            leave_caller(barrier, mailbox, task_id)
        return
    while load_atomic(barrier + GENERATION) == generation:
        if yield_function != 0:
            call_yield(yield_function)
        else:
            pause()


@jit(exact=True)
def run_rows(table, n, task_id, task_dim, barrier, yield_function, mailbox):
    """Run n rows (kernel address, argument address) of a table; tasks meet after every row, so it returns when all have finished."""
    if task_dim > 1:
        note_place(barrier, task_id)
    for i in range(n):
        call_kernel(word(table, 2 * i), word(table, 2 * i + 1), task_id, task_dim)
        if task_dim > 1:
            wait_for_all(barrier, task_id, task_dim, yield_function, mailbox)


@jit(exact=True)
def take_piece(barrier, generation, task_id, task_dim):
    """The number of a piece of the present row that nobody took, the task's own if that is left; -1 if there is none."""
    for i in range(task_dim):
        piece = (task_id + i) % task_dim
        if exchange_atomic(barrier + PLACES + PLACE_BYTES * piece + TAKEN, generation, generation + 1) == generation:
            return piece
    return -1


@jit(exact=True)
def share_rows(table, n, base, task_id, task_dim, barrier, yield_function, mailbox):
    """As `run_rows` from generation `base` on, but who is there does what is to do: a task that comes late, or that the system took the processor
    from, is only waited for if it took a piece. It finds itself in a later row then, or behind the last; the memory it looks at stays.
    """
    note_place(barrier, task_id)
    while True:
        generation = load_atomic(barrier + GENERATION)
        row = generation - base
        if row >= n:
            return
        piece = take_piece(barrier, generation, task_id, task_dim)
        if piece < 0:
            wait_while(barrier, generation, task_id, task_dim, yield_function, mailbox)
            continue
        call_kernel(word(table, 2 * row), word(table, 2 * row + 1), piece, task_dim)
        if arrive(barrier, task_dim) and row == n - 1:
            add_atomic(barrier + DONE, 1)
            if load_atomic(barrier + WAITERS) != 0:
                wake(barrier + DONE, barrier)


@kernel("executor", exact=True, words=6)
def executor(table, n, task_id, task_dim, barrier, yield_function):
    """`run_rows`, and a mark in the barrier's memory that task 0 came through."""
    run_rows(table, n, task_id, task_dim, barrier, yield_function, 0)
    if task_dim > 1 and task_id == 0:
        store_atomic(barrier + DONE, 1)


@jit(exact=True)
def enter(mailbox):
    """Take a job out of a mailbox unless its helper did: nobody enters it any more."""
    ticket = load_atomic(mailbox + TICKET)
    if ticket % 2 == 1:
        exchange_atomic(mailbox + TICKET, ticket, ticket + 1)


@kernel("executor_launch", exact=True, words=7)
def executor_launch(helpers, count, table, n, barrier, yield_function, take_part):
    """Post a job to `count` helpers (addresses of their mailboxes at `helpers`) and return when all tasks are done.

    A helper that sleeps is woken on another processor than the caller's.

    With `take_part` the caller is task 0, else it sleeps meanwhile. A helper that did not come in time finds its job withdrawn. A negative n tells
    the helpers to end.
    """
    tasks, base = count + take_part, np.int64(0)
    if n >= 0:
        base = load_atomic(barrier + GENERATION)
        for i in range(tasks):
            store_atomic(barrier + PLACES + PLACE_BYTES * i + TAKEN, base)
    for i in range(count):
        mailbox = word(helpers, i)
        job = mailbox + JOB
        store_atomic(job, table)
        store_atomic(job + 8, n)
        store_atomic(job + 16, i + take_part)
        store_atomic(job + 24, tasks)
        store_atomic(job + 32, barrier)
        store_atomic(job + 40, yield_function)
        store_atomic(job + 48, base)
        add_atomic(mailbox + TICKET, 1)
        thread = load_atomic(mailbox + THREAD)
        # of a helper whose thread is not known nothing is taken: 0 would be the caller itself
        if take_part != 0 and thread != 0 and load_atomic(mailbox + ASLEEP) != 0 and load_atomic(mailbox + NARROWED) == 0:
            note_place(barrier, 0)
            narrow(mailbox, thread, load_atomic(barrier + PLACES) - 1)
        add_atomic(mailbox + POSTED, 1)
        if load_atomic(mailbox + ASLEEP) != 0:
            wake(mailbox + POSTED, mailbox)
    if n < 0:
        return
    if take_part != 0:
        share_rows(table, n, base, 0, tasks, barrier, yield_function, 0)
    elif not spin_while(barrier + DONE, 0, SPINS):
        add_atomic(barrier + WAITERS, 1)
        sleep_while(barrier + DONE, 0, barrier)
        add_atomic(barrier + WAITERS, -1)
    for i in range(count):
        enter(word(helpers, i))


@kernel("executor_serve", exact=True, words=1)
def executor_serve(mailbox):
    """A helper's life: run what is posted to its mailbox until a job of negative length comes."""
    seen = 0
    while True:
        if not spin_while(mailbox + POSTED, seen, IDLE_SPINS):
            add_atomic(mailbox + ASLEEP, 1)
            sleep_while(mailbox + POSTED, seen, mailbox)
            add_atomic(mailbox + ASLEEP, -1)
            come_back(mailbox)
        seen = load_atomic(mailbox + POSTED)
        ticket, job = load_atomic(mailbox + TICKET), mailbox + JOB
        table, n, task_id, tasks = load_atomic(job), load_atomic(job + 8), load_atomic(job + 16), load_atomic(job + 24)
        barrier, yield_function, base = load_atomic(job + 32), load_atomic(job + 40), load_atomic(job + 48)
        if ticket % 2 == 0 or exchange_atomic(mailbox + TICKET, ticket, ticket + 1) != ticket:
            continue  # withdrawn, and perhaps the next one is being posted
        if n < 0:
            return
        share_rows(table, n, base, task_id, tasks, barrier, yield_function, mailbox)

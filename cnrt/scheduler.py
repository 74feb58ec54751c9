"""Core slots: who may run on how many of the host's cores at once.

A function on k cores takes k slots together or waits for them, first come, first served; so functions of several queues never run on more
threads than there are slots. The caller's thread is task 0; the other tasks run on helper threads, which start with the first function that
needs them.
"""
from __future__ import annotations

import functools
import os
import queue
import threading
import weakref
from collections import deque

import numpy as np

from cnrt.cpu import effective_cpus
from cnrt.errors import CnrtError, RetCode
from cnrt.native import executor, futex, yield_address

#: the executor's arguments, and the barrier itself: a helper that leaves late must find its memory there
Job = tuple[int, int, int, int, int, int, np.ndarray]

#: word of the barrier's memory that task 0 sets when it leaves the executor
_DONE = 16


class _Helper:
    """A thread that runs the executor with what comes through its mailbox."""

    def __init__(self, name: str):
        self.mailbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        threading.Thread(target=_help, args=(self.mailbox,), name=name, daemon=True).start()


def _help(mailbox: queue.SimpleQueue[Job | None]) -> None:
    run = executor()
    while (job := mailbox.get()) is not None:
        run(*job[:6])


class Scheduler:
    """A number of core slots.

    Parameters
    ----------
    slots : int
        Threads that may run at once.
    """

    def __init__(self, slots: int):
        if slots < 1:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to make a scheduler with {slots} core slots: it needs at least one")
        self.slots = slots
        self._reset()
        _schedulers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._free = self.slots
        self._waiting: deque[tuple[int, threading.Lock, list[int]]] = deque()
        self._idle: list[_Helper] = []
        self._barriers: list[np.ndarray] = []
        self._started = 0

    @property
    def busy(self) -> int:
        """Slots in use now."""
        return self.slots - self._free

    def run(self, table: int, n: int, cores: int) -> None:
        """Run an instruction table on `cores` slots, or on all there are if that is fewer; returns when all tasks are done.

        Parameters
        ----------
        table : int
            Address of n rows of two int64.
        n : int
        cores : int
        """
        tasks = max(1, min(cores, self.slots))
        run = executor()
        held: list[int] = []
        try:
            self._acquire(tasks, held)
            if tasks == 1:
                run(table, n, 0, 1, 0, 0)
            elif n:
                self._run_together(table, n, tasks)
        finally:
            if held:
                self._release(tasks)

    def _run_together(self, table: int, n: int, tasks: int) -> None:
        with self._lock:
            helpers = [self._idle.pop() if self._idle else self._start() for _ in range(tasks - 1)]
            barrier = self._barriers.pop() if self._barriers else _new_barrier()
        address, give_way = barrier.ctypes.data, yield_address()
        barrier[_DONE] = 0
        posted: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        mailboxes = [h.mailbox for h in helpers] + [posted]
        jobs = [(table, n, i, tasks, address, give_way, barrier) for i in range(1, tasks)] + [None]
        try:
            # in one C call, so that Ctrl-C leaves either all mailboxes filled or none: a helper that was started needs task 0 at the barrier
            deque(map(queue.SimpleQueue.put, mailboxes, jobs), maxlen=0)
            executor()(table, n, 0, tasks, address, give_way)
        except BaseException:
            if not posted.empty() and not barrier[_DONE]:
                executor()(table, n, 0, tasks, address, give_way)
            raise
        finally:
            # the tasks met after the last row. A helper may still be on its way out of that barrier, but it only waits for the generation to
            # have moved on, which the next function on the same barrier does not undo; and the next job for the helper waits in its mailbox.
            with self._lock:
                self._idle += helpers
                self._barriers.append(barrier)

    def _start(self) -> _Helper:
        self._started += 1
        return _Helper(f"cnrt-core-{self._started}")

    def _acquire(self, count: int, held: list[int]) -> None:
        """Take slots, and note it in `held` in the same step: Ctrl-C must not come between."""
        with self._lock:
            if not self._waiting and self._free >= count:
                self._free -= count
                held.append(count)
                return
            door = threading.Lock()
            door.acquire()
            ticket = (count, door, held)
            self._waiting.append(ticket)
        try:
            door.acquire()  # released by whoever grants the slots
        except BaseException:
            with self._lock:
                if not held:
                    self._waiting.remove(ticket)
                    self._grant()
            raise

    def _release(self, count: int) -> None:
        with self._lock:
            self._free += count
            if self._waiting:
                self._grant()

    def _grant(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            count, door, held = self._waiting.popleft()
            self._free -= count
            held.append(count)
            door.release()

    def close(self) -> None:
        """Let the idle helper threads end."""
        with self._lock:
            helpers, self._idle = self._idle, []
        for helper in helpers:
            helper.mailbox.put(None)


_schedulers: weakref.WeakSet[Scheduler] = weakref.WeakSet()


def _new_barrier() -> np.ndarray:
    """Memory of a barrier: arrivals, generation, done and sleepers, each on a line of its own, then how to sleep."""
    raw = np.zeros(64, np.int64)
    start = -raw.ctypes.data % 128 // 8
    barrier = raw[start:start + 40]
    barrier[32:34] = futex()
    return barrier


@functools.lru_cache(maxsize=1)
def default_scheduler() -> Scheduler:
    """The slots that all devices of this process share: one per processor it may use."""
    return Scheduler(effective_cpus())


def _after_fork() -> None:
    for scheduler in list(_schedulers):
        scheduler._reset()  # the helpers stayed in the parent; so did whoever held slots


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

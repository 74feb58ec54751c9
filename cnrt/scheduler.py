"""Core slots: who may run on how many of the host's cores at once.

A function that asks for k cores takes as many slots as are free, at most k, and waits only when none is; freed slots are dealt out evenly to those
that wait, first come, first served. So functions of several queues never run on more threads than there are slots, and where several nets run at
once, each gets fewer cores rather than its turn. Results do not depend on the number of tasks.

The caller's thread is task 0; the other tasks run on helper threads, which start with the first function that needs them. With `PYCAFFE_ACC_PIN`
every helper stays on a processor of its own, and the caller, whose thread is not ours to move, sleeps while helpers do all of the work.
"""
from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import weakref
from collections import deque
from typing import Any

import numpy as np

from cnrt.cores import Cores
from cnrt.cpu import effective_cpus, pinned_cpus
from cnrt.errors import CnrtError, RetCode
from cnrt.helper import BARRIER_WORDS, TASK_WORDS, helper_class, shared_words
from cnrt.native import executor

log = logging.getLogger(__name__)


class Scheduler:
    """A number of core slots.

    Parameters
    ----------
    slots : int
        Threads that may run at once.
    pinned : sequence of int, optional
        A processor for each slot; there are then no more slots than these.

    Attributes
    ----------
    cores : Cores
        The slots by number, and what each has done.
    """

    def __init__(self, slots: int, pinned: tuple[int, ...] = ()):
        if slots < 1:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to make a scheduler with {slots} core slots: it needs at least one")
        self._helper = helper_class()
        if pinned and not (self._helper.native and hasattr(os, "sched_setaffinity")):
            log.info("threads are not pinned: this system has no way to do it")
            pinned = ()
        self._pinned = pinned
        self.slots = min(slots, len(pinned)) if pinned else slots
        self.cores = Cores("host", 1, self.slots)
        self._reset()
        _schedulers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._free = self.slots
        self._waiting: deque[tuple[int, threading.Lock, list[int]]] = deque()
        self._idle: list[Any] = []
        self._barriers: list[np.ndarray] = []
        self._started = 0
        self._cpus = list(reversed(self._pinned))
        self.cores.reset()

    @property
    def busy(self) -> int:
        """Slots in use now."""
        return self.slots - self._free

    def run(self, table: int, n: int, cores: int, name: str = "function") -> int:
        """Run an instruction table on at most `cores` slots, as many of them as are free; returns when all tasks are done.

        Parameters
        ----------
        table : int
            Address of n rows of two int64.
        n : int
        cores : int
        name : str
            Of what runs, for the trace.

        Returns
        -------
        int
            How many tasks it was.
        """
        held: list[int] = []
        numbers: list[int] = []
        try:
            self._acquire(max(1, min(cores, self.slots)), held)
            self.cores.take(held[0], numbers)  # never waits: there is a core for each slot
            if n and (held[0] > 1 or self._pinned):
                return self._run_together(table, n, held[0])
            executor()(table, n, 0, 1, 0, 0)
            return 1
        finally:
            if numbers:
                self.cores.give(numbers, name)
            if held:
                self._release(held[0])

    def _run_together(self, table: int, n: int, tasks: int) -> int:
        take_part = not self._pinned
        with self._lock:
            helpers = self._take(tasks - take_part)
            barrier = self._barriers.pop() if self._barriers else shared_words(BARRIER_WORDS + TASK_WORDS * self.slots)
        try:
            if not helpers:
                executor()(table, n, 0, 1, 0, 0)
                return 1
            self._helper.run(helpers, table, n, barrier, take_part)
            return len(helpers) + take_part
        finally:
            # all pieces of the last row are done. A helper may still be on its way into or out of that barrier, but it finds its job withdrawn, or
            # the generation moved on, which the next function on the same barrier does not undo; and its next job waits in its mailbox.
            with self._lock:
                self._idle += reversed(helpers)
                self._barriers.append(barrier)

    def _take(self, count: int) -> list[Any]:
        """Idle helpers, the ones used last first, or new ones; fewer where the system gives no more threads."""
        helpers: list[Any] = []
        while len(helpers) < count:
            if self._idle:
                helpers.append(self._idle.pop())
                continue
            try:
                helpers.append(self._helper(f"cnrt-core-{self._started + 1}", self._cpus[-1] if self._cpus else None))
            except RuntimeError as e:
                log.warning("running on %d cores instead of %d: %s", max(1, len(helpers) + (not self._pinned)), count + (not self._pinned), e)
                break
            del self._cpus[-1:]
            self._started += 1
        return helpers

    def _acquire(self, count: int, held: list[int]) -> None:
        """Take one to `count` slots, and note how many in `held` in the same step: Ctrl-C must not come between."""
        with self._lock:
            if not self._waiting and self._free:
                granted = min(count, self._free)
                self._free -= granted
                held.append(granted)
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
        while self._waiting and self._free:
            share = max(1, self._free // len(self._waiting))
            count, door, held = self._waiting.popleft()
            granted = min(count, share)
            self._free -= granted
            held.append(granted)
            door.release()

    def close(self) -> None:
        """Let the idle helper threads end."""
        with self._lock:
            helpers, self._idle = self._idle, []
            self._cpus += [h.cpu for h in helpers if h.cpu is not None]
        for helper in helpers:
            helper.stop()
        for helper in helpers:
            helper.thread.join(1.0)


_schedulers: weakref.WeakSet[Scheduler] = weakref.WeakSet()


@functools.lru_cache(maxsize=1)
def default_scheduler() -> Scheduler:
    """The slots that all devices of this process share: one per processor it may use."""
    return Scheduler(effective_cpus(), pinned_cpus())


def _after_fork() -> None:
    for scheduler in list(_schedulers):
        scheduler._reset()  # the helpers stayed in the parent; so did whoever held slots


def _at_exit() -> None:
    """Let the helpers leave native code before the interpreter frees it."""
    for scheduler in list(_schedulers):
        scheduler.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

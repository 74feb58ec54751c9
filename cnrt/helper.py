"""Threads that run tasks for a caller, and how a caller starts them.

Where native code can sleep (`cnrt.native.can_sleep`), helpers wait in it and are started without the GIL; elsewhere they wait for
Python objects in a mailbox.
"""
from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cnrt.native import can_sleep, executor, executor_launch, executor_serve, system_calls, yield_address

if TYPE_CHECKING:
    #: the executor's arguments, and the barrier itself: a helper that leaves late must find its memory there
    Job = tuple[int, int, int, int, int, int, np.ndarray]

log = logging.getLogger(__name__)

#: words of the barrier's memory and of mailboxes: the mark that all tasks are done, the system's calls, a helper's thread
DONE, SYSTEM, THREAD = 16, 32, 38
#: a barrier has some words more for each task
BARRIER_WORDS, TASK_WORDS, MAILBOX_WORDS = 40, 2, 80


def shared_words(count: int) -> np.ndarray:
    """Zeroed int64 that several cores work on: they start on a line of their own, and the words from `SYSTEM` on say how to call the system."""
    raw = np.zeros(count + 48, np.int64)
    start = -raw.ctypes.data % 128 // 8
    words = raw[start:start + count]
    words[SYSTEM:SYSTEM + 5] = system_calls()
    return words


class Helper:
    """A thread that waits for work in native code.

    Parameters
    ----------
    name : str
    cpu : int, optional
        The processor to stay on.

    Raises
    ------
    RuntimeError
        The system gives no more threads.
    """

    #: whether a caller can sleep while helpers do all of the work
    native = True

    def __init__(self, name: str, cpu: int | None = None):
        self.cpu = cpu
        self._mailbox = shared_words(MAILBOX_WORDS)
        self._barrier: np.ndarray | None = None  # of the last job: the helper may still be on its way out
        self.address = self._mailbox.ctypes.data
        self._serve, self._launch = executor_serve(), executor_launch()
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)
        self.thread.start()

    def _live(self) -> None:
        self._mailbox[THREAD] = threading.get_native_id()
        if self.cpu is not None:
            try:
                os.sched_setaffinity(0, {self.cpu})  # 0 is the calling thread
            except OSError as e:
                log.warning("%s stays unpinned: processor %d cannot be used (%s)", threading.current_thread().name, self.cpu, e)
        self._serve(self.address)

    def stop(self) -> None:
        """Let the thread end when it is idle."""
        one = np.array([self.address], np.int64)
        self._launch(one.ctypes.data, 1, 0, -1, 0, 0, 0)

    @staticmethod
    def run(helpers: Sequence[Helper], table: int, n: int, barrier: np.ndarray, take_part: bool) -> None:
        """Run a table on the helpers and, with `take_part`, on the calling thread; returns when all tasks are done.

        One native call, so that Ctrl-C comes before all of it or after.
        """
        team = np.array([h.address for h in helpers], np.int64)
        for h in helpers:
            h._barrier = barrier
        barrier[DONE] = 0
        executor_launch()(team.ctypes.data, len(team), table, n, barrier.ctypes.data, yield_address(), int(take_part))


class QueueHelper:
    """A thread that gets its work from a Python queue.

    Parameters
    ----------
    name : str
    cpu : int, optional
        Not used: systems without native sleep have no pinning either.
    """

    native = False

    def __init__(self, name: str, cpu: int | None = None):
        self.cpu = cpu
        self.mailbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=_help, args=(self.mailbox,), name=name, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Let the thread end when it is idle."""
        self.mailbox.put(None)

    @staticmethod
    def run(helpers: Sequence[QueueHelper], table: int, n: int, barrier: np.ndarray, take_part: bool) -> None:
        """As `Helper.run`; the caller always takes part."""
        address, give_way, tasks = barrier.ctypes.data, yield_address(), len(helpers) + 1
        barrier[DONE] = 0
        posted: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        mailboxes = [h.mailbox for h in helpers] + [posted]
        jobs = [(table, n, i, tasks, address, give_way, barrier) for i in range(1, tasks)] + [None]
        try:
            # in one C call, so that Ctrl-C leaves either all mailboxes filled or none: a helper that was started needs task 0 at the barrier
            deque(map(queue.SimpleQueue.put, mailboxes, jobs), maxlen=0)
            executor()(table, n, 0, tasks, address, give_way)
        except BaseException:
            if not posted.empty() and not barrier[DONE]:
                executor()(table, n, 0, tasks, address, give_way)
            raise


def _help(mailbox: queue.SimpleQueue[Job | None]) -> None:
    run = executor()
    while (job := mailbox.get()) is not None:
        run(*job[:6])


def helper_class() -> type[Helper] | type[QueueHelper]:
    """The kind for this system."""
    return Helper if can_sleep() else QueueHelper

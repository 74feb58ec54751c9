"""Slices of a batch beside each other: the calling thread and some helpers, each with one slice after the other.

A slice is a whole run of a function on cores of its own; slices do not wait for each other, which is what data parallelism saves against splitting
every instruction.
"""
from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

#: threads of the pool; a card has no more cores
_MOST = 32


@functools.lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST, thread_name_prefix="cnrt-slice")


def run_beside(work: Sequence[Callable[[], None]], at_once: int) -> None:
    """Call every function once, up to `at_once` of them at the same time; returns when all have ended.

    Parameters
    ----------
    work : sequence of callable
        They must not wait for each other.
    at_once : int
        More than there are cores would only wait for one.

    Raises
    ------
    Exception
        The first that one of them raised; the others have ended by then.
    """
    turn = itertools.count()  # `next` is one step under the GIL
    errors: list[BaseException] = []

    def loop() -> None:
        while not errors and (at := next(turn)) < len(work):
            try:
                work[at]()
            except BaseException as e:
                errors.append(e)

    helpers: list[Future[None]] = [_pool().submit(loop) for _ in range(min(at_once, len(work)) - 1)]
    interrupt: BaseException | None = None
    try:
        loop()
    except BaseException as e:  # Ctrl-C between two slices
        interrupt = e
        errors.append(e)
    for helper in helpers:
        while True:
            try:
                helper.result()
                break
            except KeyboardInterrupt as e:  # the slices work in memory that the caller owns: it must not go on before they have ended
                interrupt = e
                errors.append(e)
    if interrupt is not None:
        raise interrupt
    if errors:
        raise errors[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)

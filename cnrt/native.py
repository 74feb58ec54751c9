"""The native code the runtime calls: the executor kernel, and the system's ways to leave a core while waiting for another task."""
from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
from collections.abc import Callable

from cnrt import kernel_table

#: numbers of the system calls `futex`, `getcpu`, `sched_getaffinity`, `sched_setaffinity` on the machines of Linux that are little-endian
_CALLS = {"x86_64": (202, 309, 204, 203), "aarch64": (98, 168, 123, 122), "riscv64": (98, 168, 123, 122), "ppc64le": (221, 302, 223, 222)}

_WORDS = {words: ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * words) for words in (1, 6, 7)}  # a ctypes call of this kind releases the GIL


@functools.lru_cache(maxsize=1)
def executor() -> Callable[[int, int, int, int, int, int], None]:
    """The kernel `executor`: (table, n, task_id, task_dim, barrier, yield function)."""
    return _WORDS[6](kernel_table.address("executor"))


@functools.lru_cache(maxsize=1)
def executor_launch() -> Callable[[int, int, int, int, int, int, int], None]:
    """The kernel `executor_launch`: (helpers, count, table, n, barrier, yield function, take part)."""
    return _WORDS[7](kernel_table.address("executor_launch"))


@functools.lru_cache(maxsize=1)
def executor_serve() -> Callable[[int], None]:
    """The kernel `executor_serve`: (mailbox)."""
    return _WORDS[1](kernel_table.address("executor_serve"))


@functools.lru_cache(maxsize=1)
def yield_address() -> int:
    """Address of `sched_yield` or its like; 0 where none is found."""
    try:
        function = ctypes.WinDLL("kernel32").SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield  # type: ignore[attr-defined]
    except (OSError, AttributeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@functools.lru_cache(maxsize=1)
def system_calls() -> tuple[int, ...]:
    """Address of the C library's `syscall` and the numbers of `futex`, `getcpu`, `sched_getaffinity`, `sched_setaffinity`; zeros where a task cannot
    sleep that way.
    """
    numbers = _CALLS.get(platform.machine()) if sys.platform == "linux" and sys.maxsize > 1 << 32 else None
    if numbers is None:
        return 0, 0, 0, 0, 0
    return ctypes.cast(ctypes.CDLL(None).syscall, ctypes.c_void_p).value or 0, *numbers


def can_sleep() -> bool:
    """Whether native code can sleep until another thread wakes it."""
    return system_calls()[0] != 0

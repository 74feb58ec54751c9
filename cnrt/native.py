"""The two pieces of native code the runtime calls: the executor kernel, and the system's way to give a core away."""
from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable

from cnrt import kernel_table

_EXECUTOR = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)  # a ctypes call of this kind releases the GIL


@functools.lru_cache(maxsize=1)
def executor() -> Callable[[int, int, int, int, int, int], None]:
    """The kernel `executor`: (table, n, task_id, task_dim, barrier, yield function)."""
    return _EXECUTOR(kernel_table.address("executor"))


@functools.lru_cache(maxsize=1)
def yield_address() -> int:
    """Address of `sched_yield` or its like; 0 where none is found."""
    try:
        function = ctypes.WinDLL("kernel32").SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield  # type: ignore[attr-defined]
    except (OSError, AttributeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0

"""Kernels for the runtime's own tests: C callbacks into Python, so that a test sees every call."""
from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cnml.kernels  # noqa: F401  (offers the executor)
from cnrt import kernel_table

SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)

_numbers = itertools.count()


@contextmanager
def probe(function: Callable[[int, int, int], None]) -> Iterator[str]:
    """Register `function(args, task_id, task_dim)` as a kernel; gives its name."""
    callback = SIGNATURE(function)
    name = f"probe_{next(_numbers)}"
    kernel_table.register(name, lambda: ctypes.cast(callback, ctypes.c_void_p).value or 0)
    try:
        yield name
    finally:
        kernel_table.unregister(name)


def words(args: int, count: int) -> list[int]:
    """The first words of an argument block."""
    return list((ctypes.c_int64 * count).from_address(args))

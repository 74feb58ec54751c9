"""Calls a kernel directly, on guarded memory, with a hand-made argument block."""
from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

import cnml.kernels  # noqa: F401  registers the kernels
from cnml.parameter import aligned_empty
from cnrt import kernel_table

KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
GUARD = 64
CANARY = np.float32(-1234.5)


class Guarded:
    """A float32 array between two bands of canaries, 64-byte aligned.

    Parameters
    ----------
    shape : tuple of int
    values : ndarray, optional
        What it holds first; else NaN.
    """

    def __init__(self, shape: Sequence[int], values: np.ndarray | None = None):
        n = int(np.prod(shape, dtype=np.int64))
        self._all = aligned_empty((n + 2 * GUARD,))
        self._all[...] = CANARY
        self.array = self._all[GUARD:GUARD + n].reshape(tuple(shape))
        self.array[...] = np.nan if values is None else values

    def check(self) -> None:
        """Fail if a canary changed."""
        n = self.array.size
        assert (self._all[:GUARD] == CANARY).all(), "written before the beginning"
        assert (self._all[GUARD + n:] == CANARY).all(), "written behind the end"


def words(*args: object) -> np.ndarray:
    """An argument block: arrays as addresses, None as 0, floats as float64, ints as they are."""
    block = np.zeros(len(args), np.int64)
    for i, a in enumerate(args):
        if isinstance(a, Guarded):
            block[i] = a.array.ctypes.data
        elif isinstance(a, np.ndarray):
            block[i] = a.ctypes.data
        elif isinstance(a, float):
            block[i:i + 1].view(np.float64)[0] = a
        else:
            block[i] = 0 if a is None else int(a)  # type: ignore[call-overload]
    return block


def call(name: str, block: np.ndarray, tasks: int = 1) -> None:
    """Run every task of a kernel, one after another, the last first."""
    f = KERNEL(kernel_table.address(name))
    for task in reversed(range(tasks)):
        f(block.ctypes.data, task, tasks)

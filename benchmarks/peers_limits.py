"""What the machine can do at all: multiply-adds or products of bytes in registers, and reading from memory, on as many cores as a measurement uses.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from conv_layers import KERNEL
from peak_qs8 import peak_bytes

from cnml.jit import kernel_cfunc
from cnml.kernels.argblock import f32_at, word
from cnml.parameter import aligned_empty
from cnml.ukernels.peak_f32 import CHAINS, LANES, peak

STEPS = 4_000_000          # of the multiply-add loop: about 13 ms, beside which starting a thread is nothing
MEMORY_BYTES = 256 << 20   # more than any cache


def peak_kernel(args: int, task_id: int, task_dim: int) -> None:
    """STEPS times CHAINS vector multiply-adds; args is the address of CHAINS vectors a task."""
    peak(STEPS, args + 4 * LANES * CHAINS * task_id)


def peak_bytes_kernel(args: int, task_id: int, task_dim: int) -> None:
    """The same of vectors of four products of bytes and their sum."""
    peak_bytes(STEPS, args + 4 * LANES * CHAINS * task_id)


def read_kernel(args: int, task_id: int, task_dim: int) -> None:
    """y[task] = sum of a task's share of x; words: x, y, floats of x."""
    n = word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    x, total = f32_at(word(args, 0) + 4 * first, last - first), np.float32(0)
    for i in range(x.size):
        total += x[i]
    f32_at(word(args, 1) + 64 * task_id, 1)[0] = total


class Limits:
    """The two loops on `cores` cores; each call of a method is one trial, and the best trial is the limit.

    Parameters
    ----------
    cores : int
    memory : bool
        Whether `memory_gbytes` will be asked for, which takes 256 MiB.
    precision : str
        "int8": the limit is that of products of bytes.
    """

    def __init__(self, cores: int, memory: bool = False, precision: str = "fp32"):
        self._cores = cores
        self._products = 4 if precision == "int8" else 1
        self._peak, self._read = (KERNEL(kernel_cfunc(f)) for f in (peak_bytes_kernel if precision == "int8" else peak_kernel, read_kernel))
        self._registers = aligned_empty((cores * CHAINS * LANES,))
        self._registers[...] = 0.5
        self._x, self._y = aligned_empty((MEMORY_BYTES // 4 if memory else 16,)), aligned_empty((16 * cores,))
        self._x[...] = 0.5

    def multiply_add_gflops(self) -> float:
        """10^9 operations a second in registers, of all cores together: in float32, or products of bytes and their sums."""
        address = self._registers.ctypes.data
        return self._rate(2e-9 * self._products * STEPS * CHAINS * LANES, lambda task: self._peak(address, task, self._cores))

    def memory_gbytes(self) -> float:
        """10^9 bytes a second read from memory, by all cores together."""
        block = np.array([self._x.ctypes.data, self._y.ctypes.data, self._x.size], np.int64)
        return self._rate(1e-9 * self._x.nbytes / self._cores, lambda task: self._read(block.ctypes.data, task, self._cores))

    def _rate(self, amount: float, run: Callable[[int], None]) -> float:
        """Sum over the cores of amount a second of processor time, so that other load on the machine lowers it little."""
        rates = [0.0] * self._cores

        def work(task: int) -> None:
            start = time.thread_time_ns()
            run(task)
            rates[task] = amount / max(time.thread_time_ns() - start, 1) * 1e9

        others = [threading.Thread(target=work, args=(task,)) for task in range(1, self._cores)]
        for t in others:
            t.start()
        work(0)
        for t in others:
            t.join()
        return sum(rates)

"""Programs: a list of kernel calls, turned into the table that the executor walks.

A table has one row of two int64 per instruction: the kernel's address and its argument block's. A block has one int64 (or float64) per argument,
two for a `Scratch`; a `KernelAddress` is for kernels that call others. Only `Scratch` and `Param` words differ between runs; a function without them
has one table for everybody.
"""
from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cnrt import kernel_table
from cnrt.cost import Cost
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import Memory, Place, aligned_size, free_count


class Scratch(NamedTuple):
    """Working memory of `nbytes` for each task during one instruction.

    Takes two words: a base address, and the bytes between the blocks of two tasks; task t has base + t * stride.
    """

    nbytes: int = 0


class Param(NamedTuple):
    """The address given for parameter `index` when the function is invoked, plus `offset` bytes."""

    index: int  # type: ignore[assignment]
    offset: int = 0


class KernelAddress(NamedTuple):
    """The address of the kernel of this name."""

    kernel: str


class Constant:
    """An array that the function reads, kept alive by it.

    Parameters
    ----------
    array : C-ordered ndarray

    Raises
    ------
    CnrtError
        INVALID if the array is not C-ordered.
    """

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray):
        if not array.flags.c_contiguous:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to make a constant of an array of shape {array.shape}: it must lie in C order without gaps")
        self.array = array


Argument = int | float | Memory | Place | Constant | Scratch | Param | KernelAddress


class Instruction(NamedTuple):
    """One kernel call.

    Attributes
    ----------
    kernel : str
    args : tuple
    costs : tuple of Cost or None
        What a card has to do for it, for simulated time; None where nobody said.
    """

    kernel: str
    args: tuple[Argument, ...]
    costs: tuple[Cost, ...] | None = None


class Binding:
    """A function's table with the addresses of one run filled in."""

    __slots__ = ("table", "n", "_rows", "_words", "_scratch_words", "_param_words")

    def __init__(self, function: Function, rows: np.ndarray, words: np.ndarray):
        # not the function itself: queues keep bindings for as long as the function lives
        self._scratch_words, self._param_words = function.scratch_words, function.param_words
        self._rows, self._words = rows, words
        self.table = rows.ctypes.data
        self.n = len(rows)

    def fill(self, params: Sequence[int], base: int, stride: int) -> None:
        """Write the words that differ between runs."""
        words = self._words
        for at in self._scratch_words:
            words[at], words[at + 1] = base, stride
        for at, param in self._param_words:
            words[at] = params[param.index] + param.offset


class Function:
    """An immutable list of instructions.

    Parameters
    ----------
    name : str
    instructions : iterable of Instruction
        Arguments: int, float, `Memory`, `Place` (`memory.at(offset)`), `Constant`, `Scratch`, `Param`, `KernelAddress`.
    scratch_bytes : int
        Working memory per task; at least what the largest `Scratch` asks for.

    Attributes
    ----------
    params : int
        How many parameters an invocation gives.

    Raises
    ------
    CnrtError
        INVALID for an argument of another type or range, naming function, instruction and position.
    """

    def __init__(self, name: str, instructions: Iterable[Instruction], scratch_bytes: int = 0):
        self.name = name
        self.instructions = tuple(instructions)
        self._starts: list[int] = []
        self._words: list[int] = []
        self._memories: dict[int, Memory] = {}
        self.scratch_words: list[int] = []
        self.param_words: list[tuple[int, Param]] = []
        self._kernel_words: list[tuple[int, str]] = []
        for i, instruction in enumerate(self.instructions):
            self._starts.append(len(self._words))
            for j, a in enumerate(instruction.args):
                self._append(a, f"function '{name}', instruction {i} ({instruction.kernel}), argument {j}")
        wanted = [a.nbytes for i in self.instructions for a in i.args if isinstance(a, Scratch)]
        self.scratch_bytes = aligned_size(max([scratch_bytes, *wanted]))
        self.params = 1 + max((p.index for _, p in self.param_words), default=-1)
        self._lock = threading.Lock()
        self._kernels: list[int] | None = None
        self._shared: Binding | None = None
        self._costs: tuple[Cost, ...] | None = None
        self._checked = -1

    def _append(self, a: Argument, where: str) -> None:
        words = self._words
        if isinstance(a, (Memory, Place)):
            memory = a if isinstance(a, Memory) else a.memory
            self._memories[id(memory)] = memory
            words.append(memory.address + (0 if isinstance(a, Memory) else a.offset))
        elif isinstance(a, Constant):
            words.append(a.array.ctypes.data)
        elif isinstance(a, Scratch):
            if a.nbytes < 0:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to build {where}: scratch of {a.nbytes} bytes")
            self.scratch_words.append(len(words))
            words += [0, 0]
        elif isinstance(a, Param):
            if a.index < 0:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to build {where}: parameter index {a.index}")
            self.param_words.append((len(words), a))
            words.append(0)
        elif isinstance(a, KernelAddress):
            self._kernel_words.append((len(words), a.kernel))
            words.append(0)
        elif isinstance(a, (float, np.floating)):
            words.append(struct.unpack("=q", struct.pack("=d", float(a)))[0])
        elif isinstance(a, (int, np.integer)):
            if not -(1 << 63) <= int(a) < 1 << 63:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to build {where}: {a} does not fit 64 bits")
            words.append(int(a))
        else:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to build {where}: a {type(a).__name__} cannot be an argument; wrap arrays in Constant")

    def prepare(self) -> None:
        """Find and compile the kernels now rather than at the first run.

        Raises
        ------
        CnrtError
            NO_EXIST for an unknown kernel.
        """
        if self._kernels is None:
            for name in ("executor", "executor_launch", "executor_serve"):
                if name in self.kernel_names():
                    raise CnrtError(RetCode.ERR_INVALID_OP, f"failed to prepare function '{self.name}': the kernel '{name}' runs tables and cannot "
                                    "stand in one")
            for at, name in self._kernel_words:
                self._words[at] = kernel_table.address(name)
            self._kernels = [kernel_table.address(i.kernel) for i in self.instructions]

    def kernel_names(self) -> list[str]:
        """The kernels that it needs, each once."""
        return list(dict.fromkeys([i.kernel for i in self.instructions] + [name for _, name in self._kernel_words]))

    def bind(self) -> Binding:
        """A table for one queue; the same one for all if nothing in it depends on the run."""
        if self._shared is not None:
            return self._shared
        self.prepare()
        words = np.array(self._words or [0], np.int64)
        assert self._kernels is not None
        rows = np.empty((len(self._kernels), 2), np.int64)
        rows[:, 0] = self._kernels
        rows[:, 1] = np.array(self._starts, np.int64) * 8 + words.ctypes.data
        binding = Binding(self, rows, words)
        if not self.scratch_words and not self.param_words:
            self._shared = binding
        return binding

    def check_memory(self) -> None:
        """Make sure that none of the blocks the function works on was freed.

        Raises
        ------
        CnrtError
            INVALID_POINTER.
        """
        frees = free_count()
        if frees == self._checked:
            return
        for memory in self._memories.values():
            if memory.freed:
                raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to run function '{self.name}': "
                                f"it works on a block of {memory.nbytes} bytes that was freed")
        self._checked = frees

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What a card has to do for the whole function; an instruction that does not say is one without work."""
        if self._costs is None:
            self._costs = tuple(c for i in self.instructions for c in ((Cost(i.kernel, "float32"),) if i.costs is None else i.costs))
        return self._costs

    def part(self, first: int, last: int) -> Function:
        """The function of instructions first to last - 1, for timing them apart."""
        return Function(self.name, self.instructions[first:last], self.scratch_bytes)

    def __repr__(self) -> str:
        return f"Function({self.name!r}, {len(self.instructions)} instructions)"



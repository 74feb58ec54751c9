"""Offline models, and functions that stand apart from any device's memory."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cnrt.cost import Cost
from cnrt.data_desc import TensorSpec
from cnrt.device import Device
from cnrt.enums import CoreVersion
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Argument, Constant, Function, Instruction, KernelAddress, Param, Scratch
from cnrt.memory import Memory, Place, aligned_size
from cnrt.program import Program


class Const(NamedTuple):
    """Address of constant `section`, plus `offset` bytes."""

    section: int
    offset: int = 0


class Local(NamedTuple):
    """Address `offset` bytes into the function's own activations."""

    offset: int


Symbol = int | float | Const | Local | Scratch | Param | KernelAddress


class SymbolicCall(NamedTuple):
    """A kernel call without addresses."""

    kernel: str
    args: tuple[Symbol, ...]
    costs: tuple[Cost, ...] | None = None


class Instance(NamedTuple):
    """A function in a device's memory: one program per data-parallel slice."""

    functions: list[Function]
    memories: list[Memory]

    @property
    def nbytes(self) -> int:
        """Device bytes it holds."""
        return sum(m.nbytes for m in self.memories)


@dataclass(frozen=True)
class ModelFunction:
    """A function for this machine; not in device memory yet.

    Parameters 0 to len(inputs) - 1 are the inputs, the rest the outputs.

    Attributes
    ----------
    name : str
    calls : tuple of SymbolicCall
    constants : tuple of ndarray
    activation_bytes, scratch_bytes : int
    inputs, outputs : tuple of TensorSpec

    Raises
    ------
    CnrtError
        INVALID if an argument points outside what the function has.
    """

    name: str
    calls: tuple[SymbolicCall, ...]
    constants: tuple[np.ndarray, ...]
    activation_bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    scratch_bytes: int = 0

    def __post_init__(self) -> None:
        for i, call in enumerate(self.calls):
            for j, a in enumerate(call.args):
                fault = self._fault(a)
                if fault:
                    raise CnrtError(RetCode.ERR_INVALID, f"failed to build function '{self.name}': argument {j} of instruction {i} "
                                    f"({call.kernel}) {fault}")

    def _fault(self, a: Symbol) -> str:
        tensors = (*self.inputs, *self.outputs)
        if isinstance(a, Const):
            if not 0 <= a.section < len(self.constants):
                return f"names constant {a.section} of {len(self.constants)}"
            limit, what = self.constants[a.section].nbytes, f"constant {a.section}"
        elif isinstance(a, Local):
            limit, what = self.activation_bytes, "the activations"
        elif isinstance(a, Param):
            if not 0 <= a.index < len(tensors):
                return f"names parameter {a.index} of {len(tensors)}"
            limit, what = tensors[a.index].nbytes, f"parameter {a.index}"
        else:
            return ""
        return "" if 0 <= a.offset <= limit else f"points at byte {a.offset} of {what}, which has {limit}"

    @classmethod
    def capture(cls, function: Function, inputs: Sequence[tuple[TensorSpec, Memory]], outputs: Sequence[tuple[TensorSpec, Memory]]) -> ModelFunction:
        """Take a bound function apart: given memories become parameters, other memories activations.

        Parameters
        ----------
        function : Function
            Without `Param` arguments.
        inputs, outputs : sequence of (TensorSpec, Memory)

        Raises
        ------
        CnrtError
            INVALID if a memory is smaller than its tensor, or the function has parameters already.
        """
        places: dict[int, tuple[Memory, Param]] = {}
        for i, (spec, memory) in enumerate((*inputs, *outputs)):
            if memory.nbytes < spec.nbytes:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to capture function '{function.name}': '{spec.name}' needs {spec.nbytes} bytes and "
                                f"has {memory.nbytes}")
            places[id(memory)] = (memory, Param(i))
        layout = _Layout(function.name, places)
        calls = tuple(SymbolicCall(i.kernel, tuple(layout.symbol(a) for a in i.args), i.costs) for i in function.instructions)
        return cls(function.name, calls, tuple(layout.constants), layout.used, tuple(s for s, _ in inputs), tuple(s for s, _ in outputs),
                   function.scratch_bytes)

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What a card has to do for one slice."""
        return tuple(cost for call in self.calls for cost in call.costs or ())

    @property
    def nbytes(self) -> int:
        """Device bytes for one slice: constants and activations."""
        return sum(c.nbytes for c in self.constants) + self.activation_bytes

    def instantiate(self, device: Device, channel: int | None, parallel: int) -> Instance:
        """Upload the constants and make `parallel` programs with activations of their own.

        Raises
        ------
        CnrtError
            NOMEM; nothing stays allocated then.
        """
        constants, memories, functions = [], [], []
        for array in self.constants:
            memory = device.malloc(array.nbytes, channel)
            memory.copy_in(array)
            constants.append(memory)
        for _ in range(parallel):
            local = device.malloc(self.activation_bytes, channel)
            memories.append(local)
            bound = [Instruction(c.kernel, tuple(_bound(a, constants, local) for a in c.args), c.costs) for c in self.calls]
            functions.append(Function(self.name, bound, self.scratch_bytes))
        return Instance(functions, constants + memories)


class _Layout:
    """Gives constants their numbers and activations their offsets."""

    def __init__(self, name: str, places: dict[int, tuple[Memory, Param]]):
        self._name, self._places = name, places
        self._locals: dict[int, tuple[Memory, int]] = {}
        self._numbers: dict[int, int] = {}
        self.constants: list[np.ndarray] = []
        self.used = 0

    def symbol(self, a: Argument) -> Symbol:
        if isinstance(a, (Memory, Place)):
            memory, offset = (a, 0) if isinstance(a, Memory) else (a.memory, a.offset)
            if id(memory) in self._places:
                return Param(self._places[id(memory)][1].index, offset)
            if id(memory) not in self._locals:
                self._locals[id(memory)] = (memory, self.used)
                self.used += aligned_size(memory.nbytes)
            return Local(self._locals[id(memory)][1] + offset)
        if isinstance(a, Constant):
            if id(a.array) not in self._numbers:
                self._numbers[id(a.array)] = len(self.constants)
                self.constants.append(a.array)
            return Const(self._numbers[id(a.array)])
        if isinstance(a, Param):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to capture function '{self._name}': it has parameters; bind memory to them")
        if isinstance(a, (Scratch, KernelAddress)):
            return a
        return float(a) if isinstance(a, (float, np.floating)) else int(a)


def _bound(a: Symbol, constants: list[Memory], local: Memory) -> Argument:
    if isinstance(a, Const):
        return constants[a.section].at(a.offset)
    return local.at(a.offset) if isinstance(a, Local) else a


@dataclass(frozen=True)
class Model:
    """Named programs with what was decided when they were compiled.

    Attributes
    ----------
    programs : dict of str to Program
        In order; the vendor calls them subnet0, subnet1, ...
    model_parallelism : int
    stack_mb : int
        Stack per core that they need.
    core_version : CoreVersion
    attachments : dict of str to bytes
        What compilers keep with a model for other programs; the runtime hands it out and does not look into it.
    """

    programs: dict[str, Program] = field(default_factory=dict)
    model_parallelism: int = 1
    stack_mb: int = 1
    core_version: CoreVersion = CoreVersion.CORE_1H16
    attachments: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, programs: Iterable[Program], model_parallelism: int = 1, stack_mb: int = 1, core_version: CoreVersion = CoreVersion.CORE_1H16,
           attachments: dict[str, bytes] | None = None) -> Model:
        """A model of programs under their own names.

        Raises
        ------
        CnrtError
            EXIST for two of one name.
        """
        table: dict[str, Program] = {}
        for p in programs:
            if p.name in table:
                raise CnrtError(RetCode.ERR_EXIST, f"failed to build a model: two functions are named '{p.name}'")
            table[p.name] = p
        return cls(table, model_parallelism, stack_mb, core_version, dict(attachments or {}))

    def function(self, symbol: str) -> ModelFunction:
        """The function of a name, fitted to this machine.

        Raises
        ------
        CnrtError
            NO_EXIST, listing the names; others as `Program.lowered`.
        """
        if symbol not in self.programs:
            raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to find function '{symbol}': the model has {', '.join(self.programs) or 'none'}")
        return self.programs[symbol].lowered()

    @property
    def nbytes(self) -> int:
        """Device bytes of all functions, one slice each."""
        return sum(p.lowered().nbytes for p in self.programs.values())

"""Operators compiled for a card: one executable between device tensors."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from cnml.api.assembly import Assembly, Operand, Recipe, assemble
from cnml.api.constants import constant_values
from cnml.api.constructor import Constructor
from cnml.api.enums import DataType
from cnml.api.forms import batch_stride, read_device, write_device
from cnml.api.tensors import DeviceTensor
from cnml.errors import CnmlError, Status
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.offline import write_program
from cnml.tensor import Tensor
from cnrt.device import Device
from cnrt.enums import DimOrder
from cnrt.memory import Memory
from cnrt.program import Program as OfflineProgram
from cnrt.queue import Queue

_WIDE = (DataType.FLOAT32, DataType.DOUBLE)


class Draft:
    """A graph being put together from operators on device tensors.

    Attributes
    ----------
    graph : Graph
    nodes : dict of DeviceTensor to Tensor
        Where each device tensor stands in the graph, the last one for a tensor that is written after it was read.
    sources : dict of DeviceTensor to Tensor
        Inputs of the graph.
    fed : dict of DeviceTensor to Tensor
        Constants that operators read like inputs.
    recipes : list of Recipe
    coded : bool
        Whether an operator computes on codes by INT8 kernels.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self.nodes: dict[DeviceTensor, Tensor] = {}
        self.sources: dict[DeviceTensor, Tensor] = {}
        self.fed: dict[DeviceTensor, Tensor] = {}
        self.recipes: list[Recipe] = []
        self.coded = False

    def twin(self) -> Draft:
        """The same graph with tensors of its own, over the same parameters."""
        other = Draft()
        other.graph, twins = self.graph.copy({})
        for mine, theirs in ((self.nodes, other.nodes), (self.sources, other.sources), (self.fed, other.fed)):
            theirs.update({tensor: twins[node] for tensor, node in mine.items()})
        other.recipes, other.coded = self.recipes, self.coded
        return other

    def fill(self) -> None:
        """Compute the parameters' values from the constants."""
        for recipe in self.recipes:
            recipe.fill()

    def feed(self, tensor: DeviceTensor) -> None:
        """Declare an input."""
        if tensor not in self.nodes:
            self.nodes[tensor] = self.sources[tensor] = self.graph.input(tensor.shape, repr(tensor))

    def operand(self, tensor: DeviceTensor, role: str, where: str) -> Operand:
        """What the builder sees of a tensor."""
        quant = None if tensor.position is None else tensor.quant
        if role == "out":
            return Operand(tensor.shape, tensor.dtype, quant=quant, source=tensor)
        if role == "const":
            return Operand(tensor.shape, tensor.dtype, None, lambda: constant_values(tensor, where), quant, tensor)
        if tensor not in self.nodes:
            if tensor.constant is None:
                raise CnmlError(f"failed to compile {where}: {tensor!r} is no input, no operator before it makes it, and it has no constant data",
                                Status.INVALIDARG)
            self.feed(tensor)
            self.fed[tensor] = self.nodes[tensor]
        return Operand(tensor.shape, tensor.dtype, self.nodes[tensor], None, quant, tensor)

    def append(self, constructor: Constructor, arguments: dict[str, Any], name: str, int8: bool) -> None:
        """Put an operator behind what is there.

        Parameters
        ----------
        constructor : Constructor
        arguments : dict of str to DeviceTensor, list of DeviceTensor, Values or number
        name : str
        int8 : bool

        Raises
        ------
        CnmlError
            As `assemble`; INVALIDARG for a tensor that nothing makes.
        """
        operands: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for slot in constructor.slots:
            given = arguments[slot.name]
            if not slot.is_tensor:
                values[slot.name] = given
            elif slot.many:
                operands[slot.name] = [self.operand(t, slot.role, name) for t in given]
            elif given is not None:
                operands[slot.name] = self.operand(given, slot.role, name)
        assembly = Assembly(constructor, self.graph, operands, values, name, int8)
        made = assemble(assembly)
        self.recipes += assembly.recipes
        self.coded |= assembly.coded
        targets = [t for slot in constructor.outputs for t in (arguments[slot.name] if slot.many else [arguments[slot.name]])]
        self.nodes.update(zip(targets, made, strict=True))


class Program:
    """A draft compiled for the thread's card.

    The device's arithmetic is FP16 (weights and values as halves, sums in float32) where the outputs are stored as halves, float32 where one of them
    is FLOAT32 or DOUBLE; operators whose INT8 switch is on compute on codes in both.

    Parameters
    ----------
    draft : Draft
        With its parameters filled.
    inputs, outputs : sequence of DeviceTensor
        In the order in which `run` gets their memory.
    device : Device
    cores : int
        Model parallelism: core slots for each slice.

    Raises
    ------
    CnmlError, CnrtError
    """

    def __init__(self, draft: Draft, inputs: Sequence[DeviceTensor], outputs: Sequence[DeviceTensor], device: Device, cores: int):
        self.device, self.cores = device, cores
        self.inputs, self.outputs = list(inputs), list(outputs)
        self._draft = draft
        self._memories = {t: device.malloc(max(4, t.nbytes)) for t in draft.graph.inputs}
        self._values = {t: m.array(np.float32, t.shape) for t, m in self._memories.items()}
        for tensor, node in draft.fed.items():
            self._values[node][...] = constant_values(tensor, "an operator")
        halves = any(t.dtype == DataType.FLOAT16 for t in outputs) and not any(t.dtype in _WIDE for t in outputs)
        self.precision = ("mlu" if halves else "int8") if draft.coded else "fp16" if halves else "fp32"
        self.executable = Executable(draft.graph, [draft.nodes[t] for t in outputs], self._memories, lambda t: None, device, precision=self.precision)
        self.executable.prepare()
        self._queue = Queue(device)
        self._lock = threading.Lock()
        for constant in {c.source for r in draft.recipes for c in r.constants} | set(draft.fed):
            constant.programs.add(self)

    def twin(self) -> Program:
        """Another program of the same operators: weights are shared, values are its own, so that both can run at once."""
        return Program(self._draft.twin(), self.inputs, self.outputs, self.device, self.cores)

    def reload(self, tensor: DeviceTensor) -> None:
        """Take a constant's new values."""
        with self._lock:
            for recipe in self._draft.recipes:
                if any(c.source is tensor for c in recipe.constants):
                    recipe.fill()
            if tensor in self._draft.fed:
                self._values[self._draft.fed[tensor]][...] = constant_values(tensor, "an operator")

    def check(self, name: str, pointers: Sequence[Any], tensors: Sequence[DeviceTensor], parallel: int) -> None:
        """INVALIDARG unless each pointer is living memory of the card, large enough for `parallel` slices of its tensor."""
        if len(pointers) != len(tensors):
            raise CnmlError(f"failed to run {name} with {len(pointers)} tensors: it has {len(tensors)}", Status.LENGTHERR)
        for pointer, tensor in zip(pointers, tensors, strict=True):
            if tensor in self._draft.fed and pointer is None:
                continue
            if not isinstance(pointer, Memory) or pointer.freed or pointer.device is not self.device:
                raise CnmlError(f"failed to run {name}: what is given for {tensor!r} is not living memory of {self.device.name}", Status.INVALIDARG)
            needed = batch_stride(tensor, parallel) * parallel
            if pointer.nbytes < needed:
                raise CnmlError(f"failed to run {name}: {tensor!r} needs {needed} bytes for {parallel} slices and has {pointer.nbytes}",
                                Status.OUTOFRANGE)

    def run(self, sources: Sequence[Memory], targets: Sequence[Memory], parallel: int) -> None:
        """Compute `parallel` slices, one after the other, each on the cores of all."""
        with self._lock:
            for i in range(parallel):
                for tensor, memory in zip(self.inputs, sources, strict=True):
                    if tensor not in self._draft.fed:
                        self._values[self._draft.sources[tensor]][...] = read_device(tensor, memory, i * batch_stride(tensor, parallel))
                self.executable.run(self._queue, parallel * self.cores)
                for tensor, memory in zip(self.outputs, targets, strict=True):
                    node = self._draft.nodes[tensor]
                    real = np.empty(node.shape, np.float32)
                    self.executable.read_into(node, real)
                    write_device(tensor, real, memory, i * batch_stride(tensor, parallel))

    def offline(self, symbol: str) -> OfflineProgram:
        """The program for a model file: float32 inputs and outputs in the order NHWC.

        Raises
        ------
        CnmlError
            UNSUPPORT for an operator that only the host can run, and for constants that are read like inputs.
        """
        if self._draft.fed:
            raise CnmlError(f"failed to put '{symbol}' into a model: {next(iter(self._draft.fed))!r} is a constant that an operator reads like an "
                            "input; give its values at run time", Status.UNSUPPORT)
        outputs = {f"output{i}": self._draft.nodes[t] for i, t in enumerate(self.outputs)}
        return write_program(symbol, self._draft.graph, outputs, self.precision, (DimOrder.NHWC, DimOrder.NHWC))

    @property
    def private_bytes(self) -> int:
        """Bytes of values, per slice."""
        return self.executable.activation_bytes() + sum(m.nbytes for m in self._memories.values())

    @property
    def shared_bytes(self) -> int:
        """Bytes of weights."""
        return self.executable.weight_bytes()



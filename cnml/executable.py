"""A compiled graph: functions on the device and calls on the host, in order."""
from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from cnml.compiler import Home, Plan
from cnml.cost import node_costs
from cnml.emitter import Call, Emitter, ScratchBlock
from cnml.errors import CnmlError, Status
from cnml.graph import Graph, Node
from cnml.half_entries import round_entries
from cnml.int8_graph import in_floats, int8_graph
from cnml.kernels import compile_cold
from cnml.parameter import Parameter
from cnml.passes import PASSES, run_passes, switched_off
from cnml.pixel_graph import pixel_graph
from cnml.sparsity import Sparsity
from cnml.tensor import Layout, Tensor, same_bytes
from cnrt.cost import Cost
from cnrt.device import Device
from cnrt.function import Constant, Function, Instruction, KernelAddress, Scratch
from cnrt.memory import Memory
from cnrt.notifier import Notifier
from cnrt.queue import Queue

# a function runs to its end without looking at signals: this much work between two looks keeps Ctrl-C within about a tenth of a second
_MACS_PER_FUNCTION = 4 << 30


Around = tuple[Notifier, Notifier]

#: how values and weights are held
PRECISIONS = ("fp32", "fp16", "int8", "mlu")
#: passes whose operators have no INT8 kernels
NOT_IN_INT8 = frozenset({"fuse_separable", "by_image"})


class Timing(NamedTuple):
    """One row of the per-layer table."""

    name: str
    kind: str
    milliseconds: float
    note: str
    macs: int
    sparsity: Sparsity | None = None


class HostStep:
    """An operator that runs in Python between two functions."""

    def __init__(self, node: Node, inputs: list[np.ndarray], outputs: list[np.ndarray], half: bool = False):
        self.node = node
        self._function = node.op.reference_half if half else node.op.reference
        self._inputs, self._outputs = inputs, outputs
        self.results: list[np.ndarray] = []

    def __call__(self) -> None:
        op = self.node.op
        with np.errstate(all="ignore"):
            results = list(self._function(self._inputs, [p.array for p in self.node.parameters]))
            if op.mutates:
                for p in self.node.parameters:
                    p.touch()
            if op.dynamic:
                self.results = [np.ascontiguousarray(r, np.float32) if np.ndim(r) else np.array(r, np.float32) for r in results]
                return
            for out, result in zip(self._outputs, results, strict=True):
                if np.shape(result) != out.shape:
                    raise CnmlError(f"{op.kind} '{op.name}' computed the shape {np.shape(result)} where its shape rule promised {out.shape}")
                if result is not out:
                    out[...] = result


class Executable:
    """What `compile` makes of a graph for one device.

    Parameters
    ----------
    graph : Graph
    retained : iterable of Tensor
        Values to be readable after `run`.
    bindings : dict of Tensor to Memory
        Memory of the graph's inputs.
    home : callable
        See `Plan.allocate`.
    device : cnrt.Device
    fusion : bool
        False keeps one instruction group per operator.
    off : frozenset of str
        Names of passes to leave out (`cnml.passes`), with those that the environment switches off.
    precision : str
        One of `PRECISIONS`: "fp32"; "fp16" for weights and values in half precision with sums in float32; "int8" for INT8 in the layers that say how,
        with codes between them and float32 elsewhere; "mlu" for the same layers in INT8 as the vendor's card has it, with FP16 everywhere else.
    """

    def __init__(self, graph: Graph, retained: Iterable[Tensor], bindings: dict[Tensor, Memory], home: Home, device: Device, fusion: bool = True,
                 off: frozenset[str] = frozenset(), precision: str = "fp32"):
        retained = list(retained)
        off |= switched_off()
        self.precision = precision
        coded = self._coded()
        if not fusion or not coded and not kernels_enabled():  # what is fused says what is quantized: the definitions follow it to the bit
            off |= frozenset(PASSES)
        graph = run_passes(graph if coded else in_floats(graph), set(retained), off | (NOT_IN_INT8 if coded else frozenset()))
        if coded:
            graph = int8_graph(graph, retained, between=precision == "int8")
            graph = pixel_graph(graph, retained) if precision == "int8" else graph
        if self._half():
            graph = round_entries(graph)
        self.device = device
        self._plan = Plan(graph, retained, bindings, off)
        self._plan.allocate(home, device.malloc)
        self._parameters: list[Parameter] = list(dict.fromkeys(p for n in self._plan.nodes for p in n.parameters))
        self._shapes = [p.shape for p in self._parameters]
        self._versions: tuple[int, ...] | None = None
        self._quiet: int | None = None  # `Parameter.epoch` in which there was nothing to notice
        self._steps: list[Function | HostStep] = []
        self._groups: list[tuple[Node, list[Function | HostStep], str]] = []
        self.dynamic: dict[Tensor, HostStep] = {}
        self._forms: dict[int, int] = {}
        self._sparsity: dict[int, Sparsity] = {}

    def _half(self) -> bool:
        if self.precision not in PRECISIONS:
            raise CnmlError(f"failed to compile a graph for the precision '{self.precision}'; it must be one of {', '.join(PRECISIONS)}")
        return self.precision in ("fp16", "mlu")

    def _coded(self) -> bool:
        return self.precision in ("int8", "mlu")

    def stale(self) -> bool:
        """Whether a parameter took another shape since: the shape rules have to be asked again."""
        return Parameter.epoch != self._quiet and any(p.shape != s for p, s in zip(self._parameters, self._shapes, strict=True))

    @property
    def nodes(self) -> list[Node]:
        """The nodes as they run, after fusion and with layout conversions."""
        return self._plan.nodes

    def memory_of(self, tensor: Tensor) -> Memory:
        """The memory in which a tensor lies; a retained one has it to itself."""
        return self._place(tensor)[0]

    def place_of(self, tensor: Tensor) -> tuple[Memory, int]:
        """Memory and byte offset at which a tensor's first element lies."""
        memory, offset = self._place(tensor)
        return memory, offset + tensor.item * tensor.offset

    def _place(self, tensor: Tensor) -> tuple[Memory, int]:
        """Memory and byte offset of a tensor's storage."""
        storage = self._plan.storages[tensor]
        assert storage.memory is not None
        return storage.memory, storage.offset

    def holds(self, tensor: Tensor) -> bool:
        """Whether the tensor still exists after fusion."""
        return tensor in self._plan.storages

    def stored(self, tensor: Tensor) -> np.ndarray:
        """The live bytes of a tensor, shaped as they lie in memory (float32, or uint8 codes; a view with gaps if the tensor has a pitch)."""
        memory, offset = self._place(tensor)
        dtype = np.float32 if tensor.codes is None else np.uint8
        if tensor.pitch or tensor.codes is not None:
            *lines, c = tensor.stored_shape
            return memory.array(dtype, (*lines, tensor.pitch or tensor.width), offset)[..., tensor.offset:tensor.offset + c]
        return memory.array(dtype, tensor.stored_shape, offset)

    def read_into(self, tensor: Tensor, out: np.ndarray) -> None:
        """Copy a tensor into a plain array of its logical shape."""
        data = self.stored(tensor)
        if tensor.codes is not None:
            data = (data.astype(np.int32) - tensor.codes.zero).astype(np.float32) * np.float32(tensor.codes.unit)
        out[...] = data.transpose(0, 3, 1, 2) if tensor.layout is Layout.NHWC else data

    def is_plain(self, tensor: Tensor) -> bool:
        """Whether the tensor's memory is the plain array itself."""
        return not tensor.pitch and tensor.codes is None and (tensor.layout is Layout.PLAIN or same_bytes(tensor.shape))

    # ---- lowering -------------------------------------------------------------------------------------------------------------------------

    def _lower(self) -> None:
        """Instructions for the current versions of the parameters (packed forms that did not change are reused)."""
        self._steps, self._groups, self.dynamic, self._forms, self._sparsity = [], [], {}, {}, {}
        pending: list[Instruction] = []
        costs: tuple[Cost, ...] = ()  # of nodes that needed no instruction here: a card's compiler need not have found the same way
        work = 0
        for node in self._plan.nodes:
            emit = self._emit(node)
            if emit is None:
                continue
            if emit.hosted is not None:
                self._flush(pending)
                step = self._host_step(node)
                self._steps.append(step)
                self._groups.append((node, [step], f"host: {node.op.host_reason}" if node.op.host_reason else "host"))
            else:
                costs += node_costs(node, self.precision)
                instructions = [self._bind(c)._replace(costs=() if i else costs) for i, c in enumerate(emit.calls)]
                costs = () if instructions else costs
                pending += instructions
                work += node.op.macs([t.shape for t in node.inputs], [t.shape for t in node.outputs])
                if work > _MACS_PER_FUNCTION:
                    self._flush(pending)
                    work = 0
                self._groups.append((node, [Function(node.name, instructions)], emit.notes or ", ".join(dict.fromkeys(c.kernel for c in emit.calls))))
        self._flush(pending)
        self._versions = tuple(p.version for p in self._parameters)

    def _emit(self, node: Node) -> Emitter | None:
        op = node.op
        if node.outputs and all(t.count == 0 for t in node.outputs) and not op.dynamic and not op.mutates:
            return None
        emit = Emitter(node, self._half())
        if kernels_enabled() and not any(t.count == 0 for t in (*node.inputs, *node.outputs)):
            op.lower(emit, node.inputs, node.outputs)
        else:
            emit.host(op)
        emit.finish()
        if emit.sparsity is not None:
            self._sparsity[id(node)] = emit.sparsity
        if emit.hosted is None:
            self._forms.update((id(a), a.nbytes) for a in emit.forms)
            self._forms.update((id(a), a.array.nbytes) for c in emit.calls for a in c.args if isinstance(a, Parameter))
        return emit

    def _host_step(self, node: Node) -> HostStep:
        arrays = []
        for t in (*node.inputs, *node.outputs):
            data = self.stored(t)
            arrays.append(data.transpose(0, 3, 1, 2) if t.layout is Layout.NHWC else data)
        step = HostStep(node, arrays[:len(node.inputs)], arrays[len(node.inputs):], self._half())
        if node.op.dynamic:
            self.dynamic.update(dict.fromkeys(node.outputs, step))
        return step

    def _flush(self, pending: list[Instruction]) -> None:
        if pending:
            self._steps.append(Function("net", list(pending)))
            pending.clear()

    def _bind(self, call: Call) -> Instruction:
        args: list[object] = []
        for a in call.args:
            if isinstance(a, Tensor):
                memory, offset = self.place_of(a)
                args.append(memory.at(offset) if offset else memory)
            elif isinstance(a, Parameter):
                args.append(Constant(a.array))
            elif isinstance(a, np.ndarray):
                args.append(Constant(a))
            elif isinstance(a, ScratchBlock):
                args.append(Scratch(a.nbytes))
            elif isinstance(a, KernelAddress):
                args.append(a)
            elif a is None:
                args.append(0)
            else:
                args.append(float(a) if isinstance(a, (float, np.floating)) else int(a))
        return Instruction(call.kernel, tuple(args))  # type: ignore[arg-type]

    # ---- running --------------------------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Notice changed parameters and lower again if there are any; compile what that needs."""
        if self._refresh():
            compile_cold(self.kernel_names())

    def _refresh(self) -> bool:
        epoch = Parameter.epoch
        if epoch == self._quiet:
            return False
        if self.stale():
            raise CnmlError("a parameter took another shape after the graph was compiled; compile it again")
        written = [p for p in self._parameters if p.refresh()]
        self._quiet = None if written else epoch
        if self._versions != tuple(p.version for p in self._parameters):
            # variances of zero, infinities and NaN in weights are Caffe's to compute with, silently
            with np.errstate(all="ignore"):
                self._lower()
            return True
        return False

    def kernel_names(self) -> list[str]:
        """The kernels of the program, each once; nothing is compiled."""
        self._refresh()
        return list(dict.fromkeys(name for step in self._steps if isinstance(step, Function) for name in step.kernel_names()))

    def instructions(self) -> list[Instruction]:
        """The whole program, for a function that runs without this object. Kernels are compiled if they are not there yet.

        Raises
        ------
        CnmlError
            UNSUPPORT, naming the operator, when one of them runs on the host.
        """
        self.prepare()
        hosted = next((step.node.op for step in self._steps if isinstance(step, HostStep)), None)
        if hosted is not None:
            raise CnmlError(f"{hosted.kind} '{hosted.name}' runs on the host, so this is no function for a device", Status.UNSUPPORT)
        return [i for step in self._steps if isinstance(step, Function) for i in step.instructions]

    def run(self, queue: Queue, cores: int = 1, notifiers: list[Around] | None = None) -> None:
        """One pass over the graph on `queue` with `cores` core slots; returns when the results are there.

        With `notifiers`, a pair placed around each function is appended.

        Raises
        ------
        CnrtError, CnmlError
        """
        self.prepare()
        for step in self._steps:
            if isinstance(step, HostStep):
                step()
            elif notifiers is None:
                queue.run(step, cores)
            else:
                notifiers.append((Notifier(), Notifier()))
                queue.run(step, cores, around=notifiers[-1])
        self._settle()

    def _settle(self) -> None:
        # operators that changed their own parameters did so on purpose: nothing has to be lowered again for it
        if any(n.op.mutates for n in self._plan.nodes):
            self._versions = tuple(p.version for p in self._parameters)

    def profile(self, queue: Queue, cores: int = 1, iterations: int = 1) -> list[Timing]:
        """Median time of every node, run one by one.

        Returns
        -------
        list of Timing
        """
        self.prepare()
        times: list[list[float]] = [[] for _ in self._groups]
        for _ in range(iterations):
            for i, (_, steps, _) in enumerate(self._groups):
                start = time.perf_counter()
                for step in steps:
                    if isinstance(step, HostStep):
                        step()
                    else:
                        queue.run(step, cores)
                times[i].append(time.perf_counter() - start)
        self._settle()
        return [Timing(node.name, node.op.kind, 1e3 * float(np.median(t)), note,
                       node.op.macs([x.shape for x in node.inputs], [x.shape for x in node.outputs]), self._sparsity.get(id(node)))
                for t, (node, _, note) in zip(times, self._groups, strict=True)]

    def activation_bytes(self) -> int:
        """Bytes of all tensors' storages, as if each had its own."""
        return sum(s.nbytes for s in dict.fromkeys(self._plan.storages.values()))

    def peak_bytes(self) -> int:
        """Bytes that the values between inputs and retained values take, sharing memory over time."""
        return self._plan.peak_bytes

    def sparsity(self) -> list[tuple[str, Sparsity]]:
        """Names of the operators that count their weights, as they run after fusion, and what they counted. Known after `prepare`."""
        return [(n.name, self._sparsity[id(n)]) for n in self._plan.nodes if id(n) in self._sparsity]

    def costs(self) -> tuple[Cost, ...]:
        """What a card has to do for one run. Known after `prepare`."""
        return tuple(c for step in self._steps if isinstance(step, Function) for c in step.costs)

    def weight_bytes(self) -> int:
        """Bytes of the weights as the kernels read them (packed, in half precision for FP16). Known after `prepare`."""
        return sum(self._forms.values())


def kernels_enabled() -> bool:
    """False when `PYCAFFE_ACC_KERNELS=numpy` or Numba's own `NUMBA_DISABLE_JIT=1` asks for the references everywhere."""
    value = os.environ.get("PYCAFFE_ACC_KERNELS", "numba")
    if value not in ("numba", "numpy"):
        raise CnmlError(f"PYCAFFE_ACC_KERNELS is '{value}'; it must be 'numba' or 'numpy'")
    return value == "numba" and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")



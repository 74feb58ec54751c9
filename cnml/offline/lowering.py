"""Program → function for the machine at hand: passes, layouts, kernels and packed weights are chosen here."""
from __future__ import annotations

from cnml.errors import CnmlError, Status
from cnml.executable import Executable, kernels_enabled
from cnml.offline.program_reader import read_program
from cnml.ops.permute import copy_table
from cnml.tensor import Layout, Tensor
from cnrt.data_desc import TensorSpec
from cnrt.device import Device, get
from cnrt.enums import DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Constant, Function, Instruction
from cnrt.memory import Memory, Place
from cnrt.model import ModelFunction
from cnrt.program import Program


def lower(program: Program) -> ModelFunction:
    """Fit a program to this machine. Found by `cnrt` through the entry point `cnml` of the group `cnrt.programs`.

    Parameters
    ----------
    program : Program

    Returns
    -------
    ModelFunction

    Raises
    ------
    CnrtError
        UNSUPPORTED for a format, an operator or a quantization that is not known here, or where kernels are switched off; INVALID for a program that
        contradicts itself; NOMEM.
    """
    if not kernels_enabled():
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to load function '{program.name}': it needs kernels, and PYCAFFE_ACC_KERNELS=numpy or "
                        "NUMBA_DISABLE_JIT=1 switches them off; unset it")
    graph, outputs, precision = read_program(program)
    host = get("host")
    sources, targets, unread = ([host.malloc(max(4, t.nbytes)) for t in tensors] for tensors in
                                (graph.inputs[:len(program.inputs)], outputs, graph.inputs[len(program.inputs):]))
    entries = {t: _Entry(t, spec, memory, host) for t, spec, memory in zip(graph.inputs, program.inputs, sources, strict=False)}
    bindings = {t: e.plain for t, e in entries.items()} | dict(zip(graph.inputs[len(entries):], unread, strict=True))
    homes = {t: m for t, spec, m in zip(reversed(outputs), reversed(program.outputs), reversed(targets), strict=True) if spec.order is DimOrder.NCHW}
    try:
        executable = Executable(graph, outputs, bindings, homes.get, host, precision=precision)
        instructions = [i for e in entries.values() for i in e.instructions] + executable.instructions()
        for tensor, spec, target in zip(outputs, program.outputs, targets, strict=True):
            instructions += _brought_home(executable, tensor, spec.order, target)
    except CnmlError as e:
        code = RetCode.ERR_UNSUPPORTED if e.status is Status.UNSUPPORT else RetCode.ERR_INVALID
        raise CnrtError(code, f"failed to load function '{program.name}': {e}") from e
    return ModelFunction.capture(Function(program.name, instructions), list(zip(program.inputs, sources, strict=True)),
                                 list(zip(program.outputs, targets, strict=True)))


class _Entry:
    """An input, and how it becomes a tensor in Caffe's order."""

    def __init__(self, tensor: Tensor, spec: TensorSpec, memory: Memory, device: Device):
        self.plain, self.instructions = memory, []
        if spec.order is DimOrder.NHWC:
            self.plain = device.malloc(memory.nbytes)
            n, c, h, w = tensor.shape
            self.instructions = [_copy(memory.at(0), self.plain, [n, c, h * w], [h * w * c, 1, c])]


def _copy(source: Place, target: Memory, extents: list[int], strides: list[int]) -> Instruction:
    return Instruction("permute_x32", (source, target, Constant(copy_table(extents, strides))))


def _brought_home(executable: Executable, tensor: Tensor, order: DimOrder, target: Memory) -> list[Instruction]:
    """A copy of an output into its parameter, in the order that it has there, unless it lies so already."""
    memory, offset = executable.place_of(tensor)
    if memory is target and executable.is_plain(tensor):
        return []
    if len(tensor.shape) != 4:
        return [_copy(memory.at(offset), target, [tensor.count], [1])]
    n, c, h, w = tensor.shape
    pixel = tensor.pitch or c
    extents, strides = [n, c, h * w], [h * w * pixel, 1, pixel] if tensor.layout is Layout.NHWC else [c * h * w, h * w, 1]
    if order is DimOrder.NHWC:
        extents, strides = [extents[i] for i in (0, 2, 1)], [strides[i] for i in (0, 2, 1)]
    return [_copy(memory.at(offset), target, extents, strides)]

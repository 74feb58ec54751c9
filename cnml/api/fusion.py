"""Chains of operators compiled as one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnml.api.base_ops import STACK_MB, BaseOp, base_op, launch
from cnml.api.enums import CoreVersion, member
from cnml.api.program import Draft, Program
from cnml.api.session import Handle, current_card, handle, vendor_call
from cnml.api.tensors import DeviceTensor, device_tensor
from cnml.errors import CnmlError, Status
from cnrt.launch import InvokeFuncParam
from cnrt.memory import Memory
from cnrt.queue import Queue


class FusionOp(Handle):
    """A chain of operators.

    Attributes
    ----------
    ops : list of BaseOp
        In order of execution.
    inputs, outputs : list of DeviceTensor
    program : Program or None
        None until compiled.
    split : bool
        Whether values may lie in memory of their own.
    lanes : dict of Memory to Program or None
        Handles of instructions and constants (None) and of values (a program of its own).
    """

    noun = "fusion operator"

    def __init__(self) -> None:
        super().__init__()
        self.ops: list[BaseOp] = []
        self.inputs: list[DeviceTensor] = []
        self.outputs: list[DeviceTensor] = []
        self.program: Program | None = None
        self.split = False
        self.lanes: dict[Memory, Program | None] = {}

    def __repr__(self) -> str:
        return f"FusionOp of {len(self.ops)} operators"


def fusion_op(value: Any) -> FusionOp:
    """`value` if it is a living chain, else INVALIDARG."""
    return handle(value, FusionOp, "cnmlCreateFusionOp")


def _open(op: FusionOp) -> FusionOp:
    if fusion_op(op).program is not None:
        raise CnmlError(f"failed to change {op!r}: it is compiled already", Status.INVALIDARG)
    return op


def compiled(op: FusionOp) -> Program:
    """The program of a compiled chain, else INVALIDARG."""
    if fusion_op(op).program is None:
        raise CnmlError(f"failed to run {op!r}: call cnmlCompileFusionOp first", Status.INVALIDARG)
    assert op.program is not None
    return op.program


@vendor_call
def cnmlCreateFusionOp() -> FusionOp:
    """An empty chain."""
    return FusionOp()


@vendor_call
def cnmlDestroyFusionOp(op: FusionOp) -> None:
    """End a chain's life; its operators stay."""
    fusion_op(op).destroy()
    op.program = None
    op.lanes.clear()


@vendor_call
def cnmlFuseOp(op: BaseOp, fusion: FusionOp) -> None:
    """Put an operator behind those of a chain; the operators that make its inputs must be there."""
    _open(fusion).ops.append(base_op(op))


@vendor_call
def cnmlAddFusionInput(op: FusionOp, tensor: DeviceTensor) -> None:
    """One more tensor that is given at run time."""
    _open(op).inputs.append(device_tensor(tensor))


@vendor_call
def cnmlAddFusionOutput(op: FusionOp, tensor: DeviceTensor) -> None:
    """One more tensor that is written."""
    _open(op).outputs.append(device_tensor(tensor))


@vendor_call
def cnmlSetFusionIO(op: FusionOp, inputs: Sequence[DeviceTensor], input_num: int, outputs: Sequence[DeviceTensor], output_num: int) -> None:
    """The tensors that are given and written at run time, in the order of the pointers.

    Raises
    ------
    CnmlError
        LENGTHERR if there are not so many.
    """
    if len(inputs) != input_num or len(outputs) != output_num:
        raise CnmlError(f"failed to set {len(inputs)} inputs and {len(outputs)} outputs: the numbers given are {input_num} and {output_num}",
                        Status.LENGTHERR)
    _open(op).inputs, op.outputs = [device_tensor(t) for t in inputs], [device_tensor(t) for t in outputs]


@vendor_call
def cnmlCompileFusionOp(op: FusionOp, version: int, model_parallelism: int) -> None:
    """Compile a chain for the thread's card: one program, its operators folded into each other where values allow it.

    Parameters
    ----------
    op : FusionOp
    version : CoreVersion
    model_parallelism : int
        Cores for one slice of the batch.

    Raises
    ------
    CnmlError
        INVALIDARG for an empty chain, a tensor that nothing makes or constants without data; as `cnmlCompileBaseOp` otherwise.
    """
    member(CoreVersion, version)
    chain = fusion_op(op)
    if not chain.ops or not chain.inputs or not chain.outputs:
        raise CnmlError(f"failed to compile {chain!r} with {len(chain.inputs)} inputs and {len(chain.outputs)} outputs: it needs one of each",
                        Status.INVALIDARG)
    card = current_card()
    card.check_parallelism(1, model_parallelism)
    draft = Draft()
    for t in chain.inputs:
        t.check()
        draft.feed(t)
    for one in chain.ops:
        one.append_to(draft)
    missing = [t for t in chain.outputs if t not in draft.nodes]
    if missing:
        raise CnmlError(f"failed to compile {chain!r}: no operator makes the output {missing[0]!r}", Status.INVALIDARG)
    draft.fill()
    chain.program = Program(draft, chain.inputs, chain.outputs, card, model_parallelism)


@vendor_call
def cnmlComputeFusionOpForward_V3(op: FusionOp, inputs: Sequence[Memory], input_num: int, outputs: Sequence[Memory], output_num: int,
                                  compute_forw_param: InvokeFuncParam | None, queue: Queue) -> None:
    """Run a chain on a queue; returns at once.

    Raises
    ------
    CnmlError
        LENGTHERR for another number of pointers, INVALIDARG before it is compiled or for memory of another card, OUTOFRANGE for short memory.
    """
    program = compiled(op)
    _counted(op, inputs, input_num, outputs, output_num)
    launch(program, "FusionOp", inputs, outputs, compute_forw_param, queue)


@vendor_call
def cnmlGetFusionMaxMemUsed(op: FusionOp) -> tuple[int, int, int]:
    """Bytes of device memory of a compiled chain: all, shared by the slices (weights), private to a slice (values)."""
    program = compiled(op)
    return program.shared_bytes + program.private_bytes, program.shared_bytes, program.private_bytes


@vendor_call
def cnmlGetFusionIOCount(op: FusionOp) -> int:
    """How many tensors it reads and writes at run time."""
    return len(fusion_op(op).inputs) + len(op.outputs)


@vendor_call
def cnmlGetFusionOpRequiredStackSize(op: FusionOp) -> int:
    """MB of stack per core that a compiled chain needs."""
    compiled(op)
    return STACK_MB


@vendor_call
def cnmlEnableFusionOpInstConstSplit(op: FusionOp, is_support_inst_const_split: bool) -> None:
    """Say, before a chain is compiled, that several threads will run it at once, each with memory for values of its own."""
    _open(op).split = bool(is_support_inst_const_split)


def _handle(op: FusionOp, program: Program | None) -> Memory:
    memory = compiled(op).device.malloc(0)
    op.lanes[memory] = program
    return memory


def _splittable(op: FusionOp) -> Program:
    program = compiled(op)
    if not op.split:
        raise CnmlError(f"failed to split the memory of {op!r}: call cnmlEnableFusionOpInstConstSplit before it is compiled", Status.INVALIDARG)
    return program


@vendor_call
def cnmlInitFusionOpInstMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None = None) -> Memory:
    """The handle of a compiled chain's instructions, shared by all that run it; INVALIDARG unless it was made for that."""
    _splittable(op)
    return _handle(op, None)


@vendor_call
def cnmlInitFusionOpConstMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None = None) -> Memory:
    """The handle of a compiled chain's constants, shared by all that run it; INVALIDARG unless it was made for that."""
    _splittable(op)
    return _handle(op, None)


@vendor_call
def cnmlInitFusionOpIntmdMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None = None) -> Memory:
    """Memory for the values of one thread that runs a compiled chain; INVALIDARG unless it was made for that, BADALLOC."""
    return _handle(op, _splittable(op).twin())


@vendor_call
def cnmlComputeFusionOpForwardExtra_V2(op: FusionOp, inputs: Sequence[Memory], input_num: int, outputs: Sequence[Memory], output_num: int,
                                       compute_forw_param: InvokeFuncParam | None, queue: Queue, inst_addr: Memory, const_addr: Memory,
                                       intmd_addr: Memory) -> None:
    """Run a chain with values in memory of their own: runs with different `intmd_addr` go on at the same time.

    Raises
    ------
    CnmlError
        INVALIDARG for handles that are not this chain's; as `cnmlComputeFusionOpForward_V3` otherwise.
    """
    lanes = fusion_op(op).lanes
    program = lanes.get(intmd_addr)
    if program is None or any(lanes.get(m, program) is not None for m in (inst_addr, const_addr)):
        raise CnmlError(f"failed to run {op!r}: the handles must come from cnmlInitFusionOpInstMemory, cnmlInitFusionOpConstMemory and "
                        "cnmlInitFusionOpIntmdMemory on it", Status.INVALIDARG)
    _counted(op, inputs, input_num, outputs, output_num)
    launch(program, "FusionOp", inputs, outputs, compute_forw_param, queue)


def _counted(op: FusionOp, inputs: Sequence[Memory], input_num: int, outputs: Sequence[Memory], output_num: int) -> None:
    if len(inputs) != input_num or len(outputs) != output_num:
        raise CnmlError(f"failed to run {op!r} with {len(inputs)} inputs and {len(outputs)} outputs: the numbers given are {input_num} and "
                        f"{output_num}", Status.LENGTHERR)

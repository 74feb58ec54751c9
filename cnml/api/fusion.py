"""Chains of operators compiled as one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnml.api.base_ops import STACK_MB, BaseOp, base_op, launch
from cnml.api.enums import CoreVersion, member
from cnml.api.program import Draft, Program
from cnml.api.session import Handle, current_card, handle, unsupported, vendor_call
from cnml.api.tensors import DeviceTensor, device_tensor
from cnml.errors import CnmlError, Status
from cnrt.launch import InvokeFuncParam
from cnrt.memory import Memory
from cnrt.queue import Queue

_SPLIT = "instructions, constants and values of a compiled chain are one; give each thread a chain of its own"


class FusionOp(Handle):
    """A chain of operators.

    Attributes
    ----------
    ops : list of BaseOp
        In order of execution.
    inputs, outputs : list of DeviceTensor
    program : Program or None
        None until compiled.
    """

    noun = "fusion operator"

    def __init__(self) -> None:
        super().__init__()
        self.ops: list[BaseOp] = []
        self.inputs: list[DeviceTensor] = []
        self.outputs: list[DeviceTensor] = []
        self.program: Program | None = None

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
    if len(inputs) != input_num or len(outputs) != output_num:
        raise CnmlError(f"failed to run {op!r} with {len(inputs)} inputs and {len(outputs)} outputs: the numbers given are {input_num} and "
                        f"{output_num}", Status.LENGTHERR)
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
    """Whether instructions, constants and values shall lie in memory of their own; only False.

    Raises
    ------
    CnmlError
        UNSUPPORT for True.
    """
    fusion_op(op)
    if is_support_inst_const_split:
        raise unsupported("cnmlEnableFusionOpInstConstSplit", _SPLIT)


@vendor_call
def cnmlInitFusionOpInstMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None) -> Memory:
    """Not built; UNSUPPORT."""
    raise unsupported("cnmlInitFusionOpInstMemory", _SPLIT)


@vendor_call
def cnmlInitFusionOpConstMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None) -> Memory:
    """Not built; UNSUPPORT."""
    raise unsupported("cnmlInitFusionOpConstMemory", _SPLIT)


@vendor_call
def cnmlInitFusionOpIntmdMemory(op: FusionOp, compute_forw_param: InvokeFuncParam | None) -> Memory:
    """Not built; UNSUPPORT."""
    raise unsupported("cnmlInitFusionOpIntmdMemory", _SPLIT)


@vendor_call
def cnmlComputeFusionOpForwardExtra_V2(op: FusionOp, inputs: Sequence[Memory], input_num: int, outputs: Sequence[Memory], output_num: int,
                                       compute_forw_param: InvokeFuncParam | None, queue: Queue, inst_addr: Memory, const_addr: Memory,
                                       intmd_addr: Memory) -> None:
    """Not built; UNSUPPORT."""
    raise unsupported("cnmlComputeFusionOpForwardExtra_V2", _SPLIT)

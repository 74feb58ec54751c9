"""Single operators: create, check, compile, run."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnml.api.constructor import Constructor, same_length
from cnml.api.enums import CoreVersion, member
from cnml.api.parameter_objects import ParameterObject, Values, parameter_object, scalar
from cnml.api.program import Draft, Program
from cnml.api.session import Handle, current_card, handle, unsupported, vendor_call
from cnml.api.tensors import DeviceTensor, device_tensor
from cnml.errors import CnmlError, Status
from cnrt.launch import InvokeFuncParam
from cnrt.queue import Queue

#: MB of stack per core that an operator asks for
STACK_MB = 1


class BaseOp(Handle):
    """An operator on device tensors.

    Attributes
    ----------
    constructor : Constructor
    arguments : dict of str to DeviceTensor, list of DeviceTensor, Values or number
    int8 : bool
    program : Program or None
        None until compiled.
    """

    noun = "operator"

    def __init__(self, constructor: Constructor, arguments: dict[str, Any]):
        super().__init__()
        self.constructor, self.arguments = constructor, arguments
        self.int8 = False
        self.program: Program | None = None

    def __repr__(self) -> str:
        return f"{self.constructor.name} on {', '.join(repr(t) for t in self.tensors('in', 'out'))}"

    def tensors(self, *roles: str) -> list[DeviceTensor]:
        """Its tensors of some roles, in order of the constructor."""
        return [t for slot in self.constructor.slots if slot.role in roles
                for t in (self.arguments[slot.name] if slot.many else [self.arguments[slot.name]]) if t is not None]

    def append_to(self, draft: Draft) -> None:
        """Put it behind what a draft has."""
        self.check()
        for t in self.tensors("in", "out", "const"):
            t.check()
        draft.append(self.constructor, self.arguments, self.constructor.name, self.int8)

    def draft(self) -> Draft:
        """A graph of this operator alone."""
        draft = Draft()
        for t in self.tensors("in"):
            if t.constant is None:
                draft.feed(t)
        self.append_to(draft)
        return draft


def base_op(value: Any) -> BaseOp:
    """`value` if it is a living operator, else INVALIDARG."""
    return handle(value, BaseOp, "one of the cnmlCreate…Op functions")


def create(constructor: Constructor, given: dict[str, Any]) -> BaseOp:
    """An operator from the constructor's arguments.

    Raises
    ------
    CnmlError
        UNSUPPORT for one that is not built; INVALIDARG, BADTYPEID, BADCAST, LENGTHERR for arguments of another kind.
    """
    if constructor.build is None:
        raise unsupported(f"cnmlCreate{constructor.name}", constructor.what)
    arguments: dict[str, Any] = {}
    for slot in constructor.slots:
        value = given[slot.name]
        if slot.is_tensor and slot.many:
            arguments[slot.name] = [device_tensor(t) for t in value]
        elif slot.is_tensor:
            arguments[slot.name] = None if value is None and slot.optional else device_tensor(value)
        else:
            arguments[slot.name] = argument_value(slot.type, value, f"{slot.name} of {constructor.name}")
    fault = same_length(constructor.slots, arguments)
    if fault:
        raise CnmlError(f"failed to create {constructor.name}: {fault}", Status.LENGTHERR)
    return BaseOp(constructor, arguments)


def argument_value(kind: str, value: Any, what: str) -> Any:
    """A number, or the numbers of a parameter object, which may be destroyed afterwards."""
    if kind == "function":
        if not callable(value):
            raise CnmlError(f"failed to read {what} from {value!r}: it must be a function of arrays", Status.BADCAST)
        return value
    if isinstance(value, ParameterObject) or kind.endswith(("OpParam", "OptLevel")):
        found = parameter_object(value, kind)
        return Values(found.maker, found.values)
    return scalar(value, kind, what)


def compiled(op: BaseOp) -> Program:
    """The program of a compiled operator, else INVALIDARG."""
    if base_op(op).program is None:
        raise CnmlError(f"failed to run {op!r}: call cnmlCompileBaseOp first", Status.INVALIDARG)
    assert op.program is not None
    return op.program


def launch(program: Program, name: str, sources: Sequence[Any], targets: Sequence[Any], invoke: InvokeFuncParam | None, queue: Queue) -> None:
    """Put a run on a queue; returns at once.

    Parameters
    ----------
    program : Program
    name : str
    sources, targets : sequence of Memory
        None is allowed for constants.
    invoke : InvokeFuncParam or None
        None: data parallelism 1.
    queue : Queue

    Raises
    ------
    CnmlError
        INVALIDARG for a queue of another card or memory that does not fit.
    CnrtError
        INVALID for a parallelism the card has not.
    """
    parallel = 1 if invoke is None else int(invoke.data_parallelism)
    if not isinstance(queue, Queue) or queue.device is not program.device:
        raise CnmlError(f"failed to run {name} on {queue!r}: it was compiled for {program.device.name}; give a queue of that card",
                        Status.INVALIDARG)
    program.device.check_parallelism(parallel, program.cores)
    program.check(name, sources, program.inputs, parallel)
    program.check(name, targets, program.outputs, parallel)

    def compute(keep_sources: Sequence[Any] = tuple(sources), keep_targets: Sequence[Any] = tuple(targets)) -> None:
        program.run(keep_sources, keep_targets, parallel)
    compute.__name__ = name
    queue.call(compute)


@vendor_call
def cnmlCheckBaseOpRunnable(op: BaseOp, version: int) -> None:
    """Check an operator's shapes and numbers without compiling it; constants need no data yet.

    Raises
    ------
    CnmlError
        What is wrong; UNSUPPORT, INVALIDPARAM, LENGTHERR or BADTYPEID.
    """
    member(CoreVersion, version)
    base_op(op).draft()


@vendor_call
def cnmlCompileBaseOp(op: BaseOp, version: int, model_parallelism: int) -> None:
    """Compile an operator for the thread's card.

    Parameters
    ----------
    op : BaseOp
    version : CoreVersion
    model_parallelism : int
        Cores for one slice of the batch: 1, 2, 4, ... 32.

    Raises
    ------
    CnmlError
        As `cnmlCheckBaseOpRunnable`; INVALIDARG for constants without data or a parallelism the card has not; BADALLOC.
    """
    member(CoreVersion, version)
    card = current_card()
    card.check_parallelism(1, model_parallelism)
    draft = base_op(op).draft()
    draft.fill()
    op.program = Program(draft, op.tensors("in"), op.tensors("out"), card, model_parallelism)


@vendor_call
def cnmlDestroyBaseOp(op: BaseOp) -> None:
    """End an operator's life; runs already on a queue are finished."""
    base_op(op).destroy()
    op.program = None


@vendor_call
def cnmlGetBaseOpRequiredStackSize(op: BaseOp) -> int:
    """MB of stack per core that a compiled operator needs."""
    compiled(op)
    return STACK_MB


@vendor_call
def cnmlGetMaxMemUsed(op: BaseOp) -> tuple[int, int, int]:
    """Bytes of device memory of a compiled operator: all, shared by the slices (weights), private to a slice (values)."""
    program = compiled(op)
    return program.shared_bytes + program.private_bytes, program.shared_bytes, program.private_bytes


@vendor_call
def cnmlGetIOCount(op: BaseOp) -> int:
    """How many tensors it reads and writes at run time."""
    return len(base_op(op).tensors("in", "out"))

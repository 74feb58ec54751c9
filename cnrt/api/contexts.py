"""The MLU270 generation's way to run functions: contexts, descriptions of inputs and outputs, waiting for markers, asynchronous copies."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnrt import device as devices
from cnrt.api.memory import device_memory, direction
from cnrt.api.session import cnrtGetDeviceHandle, current_card, require_init
from cnrt.data_desc import TensorSpec, host_bytes
from cnrt.enums import CoreVersion, DataType, RuntimeContextInfo
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import LaunchFunction
from cnrt.memory import Memory
from cnrt.notifier import Notifier
from cnrt.queue import Queue
from cnrt.runtime_context import RuntimeContext

_VERSIONS = {"MLU100": CoreVersion.MLU100, "MLU270": CoreVersion.MLU270}


class DeviceInfo(NamedTuple):
    """`cnrtDeviceInfo_t`."""

    name: str
    core_version: CoreVersion
    core_num: int


def _context(value: Any) -> RuntimeContext:
    if not isinstance(value, RuntimeContext):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a runtime context: it must come from cnrtCreateRuntimeContext")
    value.check_alive()
    return value


def _function(value: Any) -> LaunchFunction:
    if not isinstance(value, LaunchFunction):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a function: it must come from cnrtCreateFunction")
    return value


def cnrtGetDeviceInfo(ordinal: int) -> DeviceInfo:
    """Name, core version and number of cores of a card.

    Raises
    ------
    CnrtError
        INIT, NODEV.
    """
    card = cnrtGetDeviceHandle(ordinal)
    return DeviceInfo(card.spec.name, _VERSIONS.get(card.kind, CoreVersion.CORE_1H16), card.spec.cores)


def cnrtCreateRuntimeContext(function: LaunchFunction, extra: Any = None) -> RuntimeContext:
    """A context for a function taken from a model; `extra` has no meaning.

    Raises
    ------
    CnrtError
        FUNC_CALL for an empty function.
    """
    require_init()
    _function(function).inputs()
    return RuntimeContext(function)


def cnrtDestroyRuntimeContext(ctx: RuntimeContext) -> None:
    """Give a context's memory back."""
    _context(ctx).destroy()


def cnrtSetRuntimeContextDeviceId(ctx: RuntimeContext, dev_ordinal: int) -> None:
    """Choose the card, before `cnrtInitRuntimeContext`; NODEV, INVALID behind it."""
    _context(ctx).choose(device=cnrtGetDeviceHandle(dev_ordinal))


def cnrtSetRuntimeContextChannel(ctx: RuntimeContext, channel: int) -> None:
    """Choose the channel, before `cnrtInitRuntimeContext`; INVALID behind it."""
    _context(ctx).choose(channel=int(channel))


def cnrtInitRuntimeContext(ctx: RuntimeContext, extra: Any = None) -> None:
    """Upload the function to the context's card, the thread's if none was chosen; `extra` has no meaning.

    Raises
    ------
    CnrtError
        OUT_RANGE for a channel the card has not, INVALID the second time, NORES for too small a stack, NOMEM.
    """
    _context(ctx).init(current_card())


def cnrtSetCurrentContextDevice(ctx: RuntimeContext) -> None:
    """Bind the calling thread to the context's card."""
    devices.set_current_device(_context(ctx).card())


def cnrtRuntimeContextCreateQueue(ctx: RuntimeContext) -> Queue:
    """A queue on the context's card and channel."""
    return _context(ctx).queue()


def cnrtRuntimeContextCreateNotifier(ctx: RuntimeContext) -> Notifier:
    """A marker for the context's queues."""
    _context(ctx).card()
    return Notifier()


def cnrtRuntimeContextMallocBySizeArray(ctx: RuntimeContext, size_array: Sequence[int], length: int) -> list[Memory]:
    """Memory on the context's card and channel for the first `length` sizes.

    Raises
    ------
    CnrtError
        OUT_RANGE if there are not so many, NOMEM.
    """
    if not 0 <= length <= len(size_array):
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to allocate {length} of {len(size_array)} blocks")
    return _context(ctx).malloc(size_array[:length])


def cnrtInvokeRuntimeContext(ctx: RuntimeContext, params: Sequence[Memory], queue: Queue, extra: Any = None) -> None:
    """Run the context's function; returns at once. `params` are all inputs, then all outputs; `extra` has no meaning.

    Raises
    ------
    CnrtError
        INIT before `cnrtInitRuntimeContext`; others as `cnrtInvokeFunction_V2`.
    """
    _context(ctx).invoke(params, queue)


def cnrtGetRuntimeContextInfo(ctx: RuntimeContext, key: int) -> Any:
    """What a context knows of itself.

    Parameters
    ----------
    ctx : RuntimeContext
    key : RuntimeContextInfo

    Returns
    -------
    LaunchFunction for FUNCTION, else int. MAX_BATCH_NUM is the batch that the model was compiled for.

    Raises
    ------
    CnrtError
        INVALID for another key, INIT before `cnrtInitRuntimeContext`.
    """
    context = _context(ctx)
    if key not in RuntimeContextInfo._value2member_map_:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to ask a runtime context for {key!r}: the keys are "
                        f"{', '.join(f'{k.name} {k.value}' for k in RuntimeContextInfo)}")
    card, function = context.card(), context.function
    return {RuntimeContextInfo.FUNCTION: function, RuntimeContextInfo.DEV_ORDINAL: card.ordinal, RuntimeContextInfo.CORE_NUMBER: card.spec.cores,
            RuntimeContextInfo.MODEL_PARALLEL: function.model_parallelism, RuntimeContextInfo.CHANNEL: context.channel,
            RuntimeContextInfo.MAX_BATCH_NUM: function.inputs()[0].device.shape[0] if function.inputs() else 0}[RuntimeContextInfo(key)]


def _specs(function: LaunchFunction, outputs: bool) -> list[TensorSpec]:
    require_init()
    chosen = _function(function).outputs() if outputs else _function(function).inputs()
    return [d.device for d in chosen]


def _shape(function: LaunchFunction, outputs: bool, index: int) -> tuple[list[int], int]:
    specs = _specs(function, outputs)
    if not 0 <= index < len(specs):
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to describe {'output' if outputs else 'input'} {index}: the function has {len(specs)}")
    return list(specs[index].stored_shape), 4


def cnrtGetInputDataSize(function: LaunchFunction) -> tuple[list[int], int]:
    """Bytes of each input on the device, and how many there are."""
    specs = _specs(function, False)
    return [s.nbytes for s in specs], len(specs)


def cnrtGetOutputDataSize(function: LaunchFunction) -> tuple[list[int], int]:
    """Bytes of each output on the device, and how many there are."""
    specs = _specs(function, True)
    return [s.nbytes for s in specs], len(specs)


def cnrtGetInputDataType(function: LaunchFunction) -> tuple[list[DataType], int]:
    """Type of each input on the device, and how many there are."""
    specs = _specs(function, False)
    return [s.dtype for s in specs], len(specs)


def cnrtGetOutputDataType(function: LaunchFunction) -> tuple[list[DataType], int]:
    """Type of each output on the device, and how many there are."""
    specs = _specs(function, True)
    return [s.dtype for s in specs], len(specs)


def cnrtGetInputDataShape(index: int, function: LaunchFunction) -> tuple[list[int], int]:
    """Extents of an input in the order of device memory, and how many axes; OUT_RANGE."""
    return _shape(function, False, index)


def cnrtGetOutputDataShape(index: int, function: LaunchFunction) -> tuple[list[int], int]:
    """Extents of an output in the order of device memory, and how many axes; OUT_RANGE."""
    return _shape(function, True, index)


def _notifier(value: Any) -> Notifier:
    if not isinstance(value, Notifier):
        raise CnrtError(RetCode.ERR_NOTIFIER, f"failed to use {value!r} as a notifier: it must come from cnrtCreateNotifier")
    return value


def _queue(value: Any) -> Queue:
    if not isinstance(value, Queue):
        raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {value!r} as a queue: it must come from cnrtCreateQueue")
    return value


def cnrtWaitNotifier(notifier: Notifier) -> None:
    """Block until a marker was reached; NOTIFIER if it was not placed."""
    _notifier(notifier).wait()


def cnrtQueryNotifier(notifier: Notifier) -> RetCode:
    """SUCCESS if a marker was reached, ERR_BUSY until then."""
    return RetCode.SUCCESS if _notifier(notifier).query() else RetCode.ERR_BUSY


def cnrtQueueWaitNotifier(notifier: Notifier, queue: Queue, flag: int = 0) -> None:
    """Let a queue go on only when a marker of another queue was reached; `flag` has no meaning."""
    _queue(queue).wait(_notifier(notifier))


def cnrtMemcpyAsync(dst: Any, src: Any, nbytes: int, queue: Queue, dir: int) -> None:
    """Copy bytes as they are, after what the queue has before; the host buffer must stay until then.

    Raises
    ------
    CnrtError
        MEMCPY for an unsupported direction or a short host buffer, OUT_RANGE for short device memory, INVALID_POINTER, QUEUE.
    """
    require_init()
    forward = direction(dir)
    device, host = device_memory(dst if forward else src), host_bytes(src if forward else dst, not forward)
    if not 0 <= nbytes <= host.size:
        raise CnrtError(RetCode.ERR_MEMCPY, f"failed to copy {nbytes} bytes: the host buffer has {host.size}")
    device.array(np.uint8, nbytes)

    def copy() -> None:
        if forward:
            device.copy_in(host[:nbytes])
        else:
            device.copy_out(host[:nbytes])
    _queue(queue).call(copy)


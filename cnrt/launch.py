"""What the vendor calls a function: taken from a model, put into device memory, launched on queues."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cnrt.cost import Cost, Launch
from cnrt.data_desc import DataDesc
from cnrt.device import NO_CHANNEL, Device, current_channel, current_device
from cnrt.enums import FUNCTION_CORES, FunctionType
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Function
from cnrt.memory import Memory, Place
from cnrt.model import Instance, Model, ModelFunction
from cnrt.notifier import Notifier
from cnrt.queue import Queue


class InitFuncParam(NamedTuple):
    """`cnrtInitFuncParam_t`."""

    muta: bool = False
    data_parallelism: int = 1
    affinity: int = 0x01


class InvokeFuncParam(NamedTuple):
    """`cnrtInvokeFuncParam_t`."""

    data_parallelism: int = 1
    affinity: int = 0x01


class Dim3(NamedTuple):
    """`cnrtDim3_t`; always (1, 1, 1)."""

    x: int = 1
    y: int = 1
    z: int = 1


class LaunchFunction:
    """A function of a model on a device; empty until `extract`, not launchable until `init_memory`.

    With data parallelism d, an invocation runs the program d times at once, one for each slice of the batch, each on the cores of the model
    parallelism. Where the host has fewer cores, slices take turns.
    """

    def __init__(self) -> None:
        self.template: ModelFunction | None = None
        self.model_parallelism = 1
        self.stack_mb = 1
        self.device: Device | None = None
        self._channel = NO_CHANNEL
        self._init = InitFuncParam()
        self._instance: Instance | None = None

    def extract(self, model: Model, symbol: str) -> None:
        """Become the model's function `symbol`.

        Raises
        ------
        CnrtError
            NO_EXIST.
        """
        self.template = model.function(symbol)
        self.model_parallelism, self.stack_mb = model.model_parallelism, model.stack_mb
        self.release()

    def copy(self) -> LaunchFunction:
        """Another one; if this one is in device memory, so is the copy, in memory of its own.

        Raises
        ------
        CnrtError
            NOMEM.
        """
        other = LaunchFunction()
        other.template, other.model_parallelism, other.stack_mb = self.template, self.model_parallelism, self.stack_mb
        if self._instance is not None and self.device is not None:
            other._load(self.device, self._channel, self._init)
        return other

    def init_memory(self, init: InitFuncParam, device: Device | None = None, channel: int | None = None) -> None:
        """Upload to a device (the thread's if not given), and to a channel (likewise) if the model parallelism is 1 (with more, the vendor ignores
        the channel).

        Raises
        ------
        CnrtError
            INVALID for a parallelism the device has not, NORES for too small a stack, NOMEM.
        """
        device, channel = device or current_device(), current_channel() if channel is None else channel
        device.check_parallelism(init.data_parallelism, self.model_parallelism)
        if self.stack_mb > device.stack_mb:
            raise CnrtError(RetCode.ERR_NORES, f"failed to load function '{self._template().name}': it needs {self.stack_mb} MB of stack and "
                            f"{device.name} has {device.stack_mb}; raise it with cnrtSetStackMem")
        self.release()
        self._load(device, channel if self.model_parallelism == 1 else NO_CHANNEL, init)

    def _load(self, device: Device, channel: int, init: InitFuncParam) -> None:
        if channel == NO_CHANNEL:
            channel = device.account.roomiest()
        self._instance = self._template().instantiate(device, channel, init.data_parallelism)
        self.device, self._channel, self._init = device, channel, init

    def release(self) -> None:
        """Give the device memory back."""
        self._instance, self.device = None, None

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What a card has to do for one slice of an invocation."""
        return self._template().costs

    @property
    def data_parallelism(self) -> int:
        """Slices of an invocation."""
        return self._init.data_parallelism

    @property
    def nbytes(self) -> int:
        """Device bytes in use; 0 before `init_memory`."""
        return 0 if self._instance is None else self._instance.nbytes

    def inputs(self) -> list[DataDesc]:
        """Descriptors of the inputs, new ones each time."""
        return [DataDesc(t) for t in self._template().inputs]

    def outputs(self) -> list[DataDesc]:
        """Descriptors of the outputs, new ones each time."""
        return [DataDesc(t) for t in self._template().outputs]

    def invoke(self, queue: Queue, params: Sequence[Memory], kind: int = 0, invoke: InvokeFuncParam | None = None) -> None:
        """Launch on a queue; returns at once.

        Parameters
        ----------
        queue : Queue
        params : sequence of Memory
            All inputs, then all outputs.
        kind : FunctionType or 0
            0: as many cores as the parallelism needs.
        invoke : InvokeFuncParam, optional
            The parallelism of `init_memory` if not given.

        Raises
        ------
        CnrtError
            FUNC_CALL before `init_memory`; INVALID for a parallelism, type, queue or number of parameters that does not fit; INVALID_POINTER or
            OUT_RANGE for a parameter that is no device memory or too small.
        """
        data = self._init.data_parallelism if invoke is None else invoke.data_parallelism
        queue.invoke_slices(self._slices(queue, params, data, kind), self.model_parallelism)

    def run(self, queue: Queue, params: Sequence[Memory], cores: int | None = None, around: tuple[Notifier, Notifier] | None = None) -> None:
        """Launch with the parallelism of `init_memory` and return when it is done; an idle queue uses the caller's thread.

        Parameters
        ----------
        queue, params :
            As for `invoke`.
        cores : int, optional
            Core slots of a slice instead of the model parallelism: values do not depend on it.
        around : pair of Notifier, optional
            Placed right before and right behind it.

        Raises
        ------
        CnrtError
            As `invoke`.
        """
        slices = self._slices(queue, params, self._init.data_parallelism, 0)
        queue.run_slices(slices, self.model_parallelism if cores is None else cores, around, Launch(len(slices), self.model_parallelism))

    def _slices(self, queue: Queue, params: Sequence[Memory], data: int, kind: int) -> list[tuple[Function, list[Place]]]:
        """What to run for each slice of the batch."""
        if self._instance is None or self.device is None:
            raise CnrtError(RetCode.ERR_FUNC_CALL, f"failed to invoke function '{self._template().name}': call cnrtInitFunctionMemory_V2 first")
        self._check(queue, data, kind)
        strides = self._strides(params, data)
        if data > len(self._instance.functions):
            self._instance = self._template().instantiate(self.device, self._channel, data)
        return [(function, [p.at(i * s) for p, s in zip(params, strides, strict=True)][:function.params])
                for i, function in enumerate(self._instance.functions[:data])]

    def _check(self, queue: Queue, data: int, kind: int) -> None:
        name, device = self._template().name, self.device
        assert device is not None
        if queue.device is not device:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to invoke function '{name}' on {queue.name}: it was loaded on {device.name}")
        if not self._init.muta and data != self._init.data_parallelism:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to invoke function '{name}' with data parallelism {data}: it was loaded with "
                            f"{self._init.data_parallelism} and not as mutable")
        device.check_parallelism(data, self.model_parallelism)
        if kind == 0 or kind == FunctionType.MUTABLE:
            return
        if kind not in FUNCTION_CORES:
            raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to invoke function '{name}' with type {kind}: it must be 0 or one of "
                            f"{', '.join(f'{t.name} {int(t)}' for t in FunctionType)}")
        cores = FUNCTION_CORES[FunctionType(kind)]
        if data * self.model_parallelism > cores:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to invoke function '{name}' as {FunctionType(kind).name}: that is {cores} cores, and "
                            f"the parallelism {data} x {self.model_parallelism} needs {data * self.model_parallelism}")

    def _strides(self, params: Sequence[Memory], data: int) -> list[int]:
        descs = self.inputs() + self.outputs()
        name = self._template().name
        if len(params) != len(descs):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to invoke function '{name}' with {len(params)} parameters: it has {len(descs)} inputs "
                            "and outputs")
        for i, (p, desc) in enumerate(zip(params, descs, strict=True)):
            if not isinstance(p, Memory) or p.freed or p.device is not self.device:
                raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to invoke function '{name}': parameter {i} ('{desc.device.name}') is not "
                                "live memory of the function's device")
            if p.nbytes < desc.device_nbytes(data):
                raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to invoke function '{name}': parameter {i} ('{desc.device.name}') has {p.nbytes} "
                                f"bytes and {data} slices need {desc.device_nbytes(data)}")
        return [desc.batch_stride(data) for desc in descs]

    def _template(self) -> ModelFunction:
        if self.template is None:
            raise CnrtError(RetCode.ERR_FUNC_CALL, "failed to use an empty function: call cnrtExtractFunction first")
        return self.template

"""Offline models through the runtime alone, in the calling order of the vendor's programs."""
from __future__ import annotations

import os

import numpy as np

from cnrt import api, model_file
from cnrt import device as devices
from cnrt.cost import Cost, Launch
from cnrt.enums import CoreVersion, MemTransDir
from cnrt.memory import Memory
from cnrt.model import Model
from cnrt.queue import Queue
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.card_work import CardWork
from pycaffe_acc.evaluation.intervals import Interval
from pycaffe_acc.runners.engine import shape_lines

#: MB of stack that the vendor's programs add to what a model needs
_SPARE_STACK_MB = 50


def card_kind(model: Model) -> str:
    """The kind of virtual card that a model was compiled for.

    Raises
    ------
    CheckError
        For a core version that no virtual card has.
    """
    if model.core_version == CoreVersion.MLU220:
        raise CheckError("the model was compiled for MLU220, of which there is no virtual card; compile it with -mcore MLU100 or MLU270")
    return "MLU270" if model.core_version == CoreVersion.MLU270 else "MLU100"


def load_model(path: str | os.PathLike[str]) -> Model:
    """Start the runtime and read an offline model.

    Raises
    ------
    CnrtError
        As `cnrtLoadModel`.
    """
    api.cnrtInit(0)
    return model_file.load(path)


def raise_stack(model: Model) -> None:
    """Give the thread's card the stack that a model needs, and some more, as the vendor's programs do."""
    stack = api.cnrtQueryModelStackSize(model)
    if stack > api.cnrtGetStackMem():
        api.cnrtSetStackMem(min(stack + _SPARE_STACK_MB, api.cnrtGetCurrentDevice().spec.max_stack_mb))


class OfflineEngine:
    """A function of an offline model on a card and a channel.

    Parameters
    ----------
    model : Model
    data_parallel : int
        Slices of a batch; the model's batch is that of one slice.
    ordinal, channel : int
        Which card of the model's kind, and which of its channels.
    symbol : str

    Raises
    ------
    CnrtError
        As the functions of `cnrt.api`: a symbol that is not there, a parallelism that the card has not, too little memory.
    CheckError
        For a function with several inputs.
    """

    times_hardware = True

    def __init__(self, model: Model, data_parallel: int = 1, ordinal: int = 0, channel: int = 0, symbol: str = "subnet0"):
        self._device, self._channel, self._slices = devices.get(card_kind(model), ordinal), channel, data_parallel
        self.bind()
        raise_stack(model)
        self._function = api.cnrtExtractFunction(api.cnrtCreateFunction(), model, symbol)
        self._inputs, count = api.cnrtGetInputDataDesc(self._function)
        if count != 1:
            raise CheckError(f"function '{symbol}' has {count} inputs ({', '.join(d.device.name for d in self._inputs)}); this program feeds one")
        self._outputs, self._count = api.cnrtGetOutputDataDesc(self._function)
        api.cnrtInitFunctionMemory_V2(self._function, api.InitFuncParam(False, data_parallel, 0x01))
        self._queue = api.cnrtCreateQueue()
        n, c, h, w = api.cnrtGetDataShape(self._inputs[0])
        self.shape = (n * data_parallel, c, h, w)
        n, *rest = api.cnrtGetDataShape(self._outputs[0])
        self.output_shape: tuple[int, ...] = (n * data_parallel, *rest)

    def bind(self) -> None:
        """See `Engine.bind`."""
        api.cnrtSetCurrentDevice(self._device)
        api.cnrtSetCurrentChannel(self._channel)

    def input_buffer(self) -> list[Memory]:
        """See `Engine.input_buffer`."""
        return api.cnrtMallocBatchByDescArray(self._inputs, None, self._slices)

    def output_buffer(self) -> list[Memory]:
        """See `Engine.output_buffer`."""
        return api.cnrtMallocBatchByDescArray(self._outputs, None, self._slices)

    def copy_in(self, values: np.ndarray, buffer: list[Memory]) -> None:
        """See `Engine.copy_in`."""
        api.cnrtMemcpyBatchByDescArray(buffer, [np.ascontiguousarray(values, np.float32)], self._inputs, None, self._slices, MemTransDir.HOST2DEV)

    def run(self, source: list[Memory], target: list[Memory]) -> list[Interval]:
        """See `Engine.run`."""
        start, end = api.cnrtCreateNotifier(), api.cnrtCreateNotifier()
        api.cnrtPlaceNotifier(start, self._queue)
        api.cnrtInvokeFunction_V2(self._function, api.Dim3(), [*source, *target], 0, self._queue, api.InvokeFuncParam(self._slices, 0x01))
        api.cnrtPlaceNotifier(end, self._queue)
        api.cnrtSyncQueue(self._queue)
        assert start.time_ns is not None and end.time_ns is not None
        return [(start.time_ns, end.time_ns)]

    def copy_out(self, buffer: list[Memory]) -> np.ndarray:
        """See `Engine.copy_out`."""
        return self.copy_all_out(buffer)[0]

    def copy_all_out(self, buffer: list[Memory]) -> list[np.ndarray]:
        """The values of every output, (n, c, h, w) float32 each."""
        results = []
        for desc in self._outputs:
            n, c, h, w = api.cnrtGetDataShape(desc)
            results.append(np.empty((n * self._slices, c, h, w), np.float32))
        api.cnrtMemcpyBatchByDescArray(results, buffer, self._outputs, None, self._slices, MemTransDir.DEV2HOST)
        return results

    def lines(self) -> list[str]:
        """See `Engine.lines`."""
        return shape_lines([self.shape], self.output_shape)

    def costs(self) -> tuple[Cost, ...]:
        """What one slice of a batch costs the card."""
        return self._function.costs

    def queues(self) -> list[Queue]:
        """See `Engine.queues`."""
        return [self._queue]

    def work(self) -> CardWork:
        """See `Engine.work`."""
        return CardWork(self._function.costs, Launch(self._slices, self._function.model_parallelism))

    def close(self) -> None:
        """See `Engine.close`."""
        api.cnrtDestroyQueue(self._queue)
        api.cnrtDestroyFunction(self._function)

"""One function of an offline model with everything it takes to run it: arrays in, arrays out."""
from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from cnrt import model_file
from cnrt.data_desc import TensorSpec
from cnrt.device import current_device
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import InitFuncParam, LaunchFunction
from cnrt.model import Model
from cnrt.notifier import Notifier
from cnrt.queue import Queue


class ModelRunner:
    """The calling order of the vendor's programs in one object: load, extract, upload, allocate; then copy in, run, copy out.

    It belongs to the device and the channel of the thread that makes it.

    Parameters
    ----------
    model : Model, str or Path
    symbol : str
    cores : int, optional
        Core slots of a slice; the model parallelism if not given. Values do not depend on it.
    data_parallel : int
        Slices of a batch, which run beside each other; the batch is so many times the model's.

    Attributes
    ----------
    inputs, outputs : list of TensorSpec
        Of a slice.
    notifiers : list of (Notifier, Notifier) or None
        Set it to a list, and every run appends the pair around the function.

    Raises
    ------
    CnrtError
        As `cnrtLoadModel`, `cnrtExtractFunction` and `cnrtInitFunctionMemory_V2`.
    """

    def __init__(self, model: Model | str | os.PathLike[str], symbol: str = "subnet0", cores: int | None = None,
                 data_parallel: int = 1):
        held = model if isinstance(model, Model) else model_file.load(model)
        self._function, self._cores, self._slices = LaunchFunction(), cores, data_parallel
        self._function.extract(held, symbol)
        self._function.init_memory(InitFuncParam(data_parallelism=data_parallel))
        device = current_device()
        self._queue = Queue(device)
        sources, targets = self._function.inputs(), self._function.outputs()
        self.inputs: list[TensorSpec] = [d.device for d in sources]
        self.outputs: list[TensorSpec] = [d.device for d in targets]
        self._sources = [(d, device.malloc(d.device_nbytes(data_parallel))) for d in sources]
        self._targets = [(d, device.malloc(d.device_nbytes(data_parallel))) for d in targets]
        self.notifiers: list[tuple[Notifier, Notifier]] | None = None

    @property
    def function(self) -> LaunchFunction:
        """The function in device memory."""
        return self._function

    def put(self, arrays: Sequence[np.ndarray]) -> None:
        """Copy the inputs to the device.

        Parameters
        ----------
        arrays : sequence of float32 ndarray
            One for each input, with the number of elements of all slices in Caffe's order.

        Raises
        ------
        CnrtError
            INVALID for another number of arrays, RESHAPE for another size.
        """
        if len(arrays) != len(self._sources):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to run with {len(arrays)} arrays: the function takes {len(self._sources)}: "
                            f"{', '.join(t.name for t in self.inputs)}")
        for array, (desc, memory) in zip(arrays, self._sources, strict=True):
            desc.to_device(np.ascontiguousarray(array, np.float32), memory, self._slices)

    def compute(self) -> None:
        """Run on the inputs that are there; returns when it is done."""
        around = None
        if self.notifiers is not None:
            around = (Notifier(), Notifier())
            self.notifiers.append(around)
        self._function.run(self._queue, [m for _, m in (*self._sources, *self._targets)], self._cores, around)

    def get(self) -> list[np.ndarray]:
        """Copy the outputs to the host.

        Returns
        -------
        list of (N, C, H, W) float32 ndarray
        """
        results = []
        for desc, memory in self._targets:
            batch, *rest = desc.device.shape
            results.append(np.empty((batch * self._slices, *rest), np.float32))
            desc.to_host(memory, results[-1], self._slices)
        return results

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """`put`, `compute`, `get`."""
        self.put(arrays)
        self.compute()
        return self.get()

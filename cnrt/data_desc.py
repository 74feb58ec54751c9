"""Descriptors of a function's inputs and outputs: their shape, how the device keeps them, how the host does."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnrt.dtypes import cast, numpy_of
from cnrt.enums import DataType, DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import Memory, aligned_size

_ORDERS = {DimOrder.NCHW: (0, 1, 2, 3), DimOrder.NHWC: (0, 2, 3, 1), DimOrder.HWCN: (2, 3, 1, 0)}


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a function as the device keeps it.

    Attributes
    ----------
    name : str
    shape : tuple of 4 int
        N, C, H, W; N is the batch of one core.
    dtype : DataType
    order : DimOrder
        NCHW, NHWC or HWCN.

    Raises
    ------
    CnrtError
        INVALID_DATADESC.
    """

    name: str
    shape: tuple[int, int, int, int]
    dtype: DataType = DataType.FLOAT32
    order: DimOrder = DimOrder.NCHW

    def __post_init__(self) -> None:
        if len(self.shape) != 4 or any(not isinstance(d, int) or d < 1 for d in self.shape):
            raise CnrtError(RetCode.ERR_INVALID_DATADESC, f"failed to describe '{self.name}' with shape {self.shape}: it must be four positive "
                            "extents")
        if self.order not in _ORDERS:
            raise CnrtError(RetCode.ERR_INVALID_DATADESC, f"failed to describe '{self.name}' in order {self.order!r}: it must be NCHW, NHWC or HWCN")
        numpy_of(self.dtype)

    @property
    def count(self) -> int:
        """Number of elements."""
        n, c, h, w = self.shape
        return n * c * h * w

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return self.count * numpy_of(self.dtype).itemsize

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Extents in the order of memory."""
        return tuple(self.shape[axis] for axis in _ORDERS[self.order])


class DataDesc:
    """What `cnrtGetInputDataDesc` hands out: a device form, and a host form that the user may change (float32 NCHW until told).

    Parameters
    ----------
    device : TensorSpec
    """

    def __init__(self, device: TensorSpec):
        self.device = device
        self.host = replace(device, dtype=DataType.FLOAT32, order=DimOrder.NCHW)

    def set_host_layout(self, dtype: DataType, order: DimOrder) -> None:
        """Say how the host's arrays lie.

        Raises
        ------
        CnrtError
            INVALID_TYPE, INVALID_DATADESC.
        """
        self.host = replace(self.device, dtype=_member(DataType, dtype), order=_member(DimOrder, order))

    def batch_stride(self, parallel: int) -> int:
        """Bytes between the slices of a data-parallel batch on the device (64-byte aligned); the size itself for one slice."""
        return aligned_size(self.device.nbytes) if parallel > 1 else self.device.nbytes

    def device_nbytes(self, parallel: int = 1) -> int:
        """Bytes of device memory for `parallel` slices."""
        return self.batch_stride(parallel) * parallel

    def to_device(self, source: Any, target: Memory, parallel: int = 1, offset: int = 0) -> None:
        """Convert a host array and copy it to the device.

        Parameters
        ----------
        source : ndarray or bytes-like
            `parallel` dense slices in the host form.
        target : Memory
        parallel : int
        offset : int
            Bytes into `target`.

        Raises
        ------
        CnrtError
            RESHAPE if `source` has not the right size, OUT_RANGE if `target` is too small.
        """
        values = self._host_view(source, parallel, False)
        for i in range(parallel):
            device = target.array(numpy_of(self.device.dtype), self.device.stored_shape, offset + i * self.batch_stride(parallel))
            device[...] = cast(_reorder(values[i], self.host.order, self.device.order), self.device.dtype)

    def to_host(self, source: Memory, target: Any, parallel: int = 1, offset: int = 0) -> None:
        """Copy from the device and convert; the counterpart of `to_device`."""
        values = self._host_view(target, parallel, True)
        for i in range(parallel):
            device = source.array(numpy_of(self.device.dtype), self.device.stored_shape, offset + i * self.batch_stride(parallel))
            values[i] = cast(_reorder(device, self.device.order, self.host.order), self.host.dtype)

    def _host_view(self, data: Any, parallel: int, writable: bool) -> np.ndarray:
        raw = host_bytes(data, writable)
        needed = self.host.nbytes * parallel
        if raw.size != needed:
            raise CnrtError(RetCode.ERR_RESHAPE, f"failed to convert '{self.device.name}' with {raw.size} bytes on the host: "
                            f"{parallel} x {self.host.stored_shape} of {self.host.dtype.name} have {needed}")
        return raw.view(numpy_of(self.host.dtype)).reshape(parallel, *self.host.stored_shape)

    def __repr__(self) -> str:
        return f"DataDesc({self.device.name!r}, {self.device.shape}, {self.device.dtype.name} {self.device.order.name})"


def _member(kind: Any, value: int) -> Any:
    try:
        return kind(value)
    except ValueError as e:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to read {value!r} as {kind.__name__}: the values are "
                        f"{', '.join(f'{m.name} {m.value:#x}' for m in kind)}") from e


def _reorder(values: np.ndarray, given: DimOrder, wanted: DimOrder) -> np.ndarray:
    source, target = _ORDERS[given], _ORDERS[wanted]
    return values.transpose([source.index(axis) for axis in target])


def host_bytes(data: Any, writable: bool) -> np.ndarray:
    """The bytes of a host buffer, as a live uint8 array.

    Parameters
    ----------
    data : C-ordered ndarray, bytes, bytearray or memoryview
    writable : bool

    Raises
    ------
    CnrtError
        INVALID_POINTER for anything else, or for a read-only buffer that is to be written.
    """
    if isinstance(data, np.ndarray):
        if not data.flags.c_contiguous or writable and not data.flags.writeable:
            raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to use an array of shape {data.shape}: it must lie in C order and, as a target, "
                            "be writable")
        return data.reshape(-1).view(np.uint8)
    try:
        found = np.frombuffer(data, np.uint8)
    except (TypeError, ValueError, BufferError) as e:
        raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to use a {type(data).__name__} as a host buffer: {e}") from e
    if writable and not found.flags.writeable:
        raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to write into a {type(data).__name__}: it is read-only")
    return found

"""Descriptors of tensors on the device and on the host."""
from __future__ import annotations

import weakref
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from cnml.api.enums import DataOrder, DataPreprocessStrategy, DataType, TensorType, member
from cnml.api.session import Handle, handle, vendor_call
from cnml.errors import CnmlError, Status
from cnml.quantization import QuantParam

Shape = tuple[int, int, int, int]

#: a tensor of more elements fits no card, and its bytes could not be counted in 64 bits with padding
MOST_ELEMENTS = 1 << 40


def four(extents: Sequence[int]) -> Shape:
    """Four positive extents N, C, H, W.

    Raises
    ------
    CnmlError
        LENGTHERR for another number, OUTOFRANGE for others than positive ones.
    """
    shape = tuple(int(d) for d in extents)
    if len(shape) != 4:
        raise CnmlError(f"failed to describe a tensor with {len(shape)} axes {shape}: it must have the four extents N, C, H, W", Status.LENGTHERR)
    if min(shape) < 1:
        raise CnmlError(f"failed to describe a tensor with shape {shape}: extents must be positive", Status.OUTOFRANGE)
    if prod(shape) > MOST_ELEMENTS:
        raise CnmlError(f"failed to describe a tensor with shape {shape}: it must have at most {MOST_ELEMENTS} elements", Status.OUTOFRANGE)
    return shape  # type: ignore[return-value]


class DeviceTensor(Handle):
    """A tensor on the device: always four axes, stored in the order N, H, W, C. Its N is the batch of one core.

    Attributes
    ----------
    type : TensorType
    dtype : DataType
    shape : (N, C, H, W)
    position : int or tuple of int or None
        None until set; a tuple has one entry for each N.
    scale : float or tuple of float
    quant8 : (scale, offset)
    constant : (N, C, H, W) float32 ndarray or None
        What `cnmlBindConstData` attached.
    programs : WeakSet
        Compiled operators that read the constant.
    """

    noun = "tensor"

    def __init__(self, kind: TensorType, dtype: DataType, shape: Shape):
        super().__init__()
        self.type, self.dtype, self.shape = kind, dtype, shape
        self.position: int | tuple[int, ...] | None = None
        self.scale: float | tuple[float, ...] = 1.0
        self.quant8 = (1.0, 0.0)
        self.constant: np.ndarray | None = None
        self.weight_name = ""
        self.programs: weakref.WeakSet[Any] = weakref.WeakSet()
        self.host: CpuTensor | None = None
        self.strategy = DataPreprocessStrategy.CPU_MLU_BALANCE
        self.reshape: tuple[DataType, DataOrder] | None = None

    @property
    def quant(self) -> QuantParam:
        """Position (0 until set) and scale."""
        return QuantParam(0 if self.position is None else self.position, self.scale)

    def __repr__(self) -> str:
        return f"DeviceTensor({self.type.name}, {self.dtype.name}, {self.shape})"


class CpuTensor(Handle):
    """A tensor on the host.

    Attributes
    ----------
    type : TensorType
    dtype : DataType
    order : DataOrder
        How the array lies in memory.
    shape : (N, C, H, W)
    position : int
        Of INT8 and INT16.
    """

    noun = "host tensor"

    def __init__(self, kind: TensorType, dtype: DataType, order: DataOrder, shape: Shape):
        super().__init__()
        self.type, self.dtype, self.order, self.shape = kind, dtype, order, shape
        self.position = 0

    @property
    def quant(self) -> QuantParam:
        """Position, with the scale 1."""
        return QuantParam(self.position)

    def __repr__(self) -> str:
        return f"CpuTensor({self.type.name}, {self.dtype.name}, {self.order.name}, {self.shape})"


def device_tensor(value: Any) -> DeviceTensor:
    """`value` if it is a living device tensor, else INVALIDARG."""
    return handle(value, DeviceTensor, "cnmlCreateTensor")


def cpu_tensor(value: Any) -> CpuTensor:
    """`value` if it is a living host tensor, else INVALIDARG."""
    return handle(value, CpuTensor, "cnmlCreateCpuTensor")


@vendor_call
def cnmlCreateTensor(tensor_type: int, dtype: int, n: int, c: int, h: int, w: int) -> DeviceTensor:
    """A device tensor. N is the batch of one core.

    Raises
    ------
    CnmlError
        BADTYPEID, OUTOFRANGE.
    """
    return DeviceTensor(member(TensorType, tensor_type), member(DataType, dtype), four((n, c, h, w)))  # type: ignore[arg-type]


@vendor_call
def cnmlDestroyTensor(tensor: DeviceTensor) -> None:
    """End a device tensor's life."""
    device_tensor(tensor).destroy()


@vendor_call
def cnmlSetTensorDataType(tensor: DeviceTensor, dtype: int) -> None:
    """Another data type; BADTYPEID for a number that is none."""
    device_tensor(tensor).dtype = member(DataType, dtype)  # type: ignore[assignment]


@vendor_call
def cnmlGetTensorDataType(tensor: DeviceTensor) -> DataType:
    """The data type."""
    return device_tensor(tensor).dtype


@vendor_call
def cnmlSetTensorShape(tensor: DeviceTensor, dim_num: int, dim_values: Sequence[int]) -> None:
    """Another shape of four extents; LENGTHERR, OUTOFRANGE."""
    device_tensor(tensor).shape = four(dim_values[:dim_num])


@vendor_call
def cnmlGetTensorShape(tensor: DeviceTensor) -> Shape:
    """N, C, H, W."""
    return device_tensor(tensor).shape


@vendor_call
def cnmlSetWeightName(tensor: DeviceTensor, name: str) -> None:
    """Name the constant data of a tensor, for `cnmlUpdateWeight`."""
    device_tensor(tensor).weight_name = str(name)


@vendor_call
def cnmlGetWeightName(tensor: DeviceTensor) -> str:
    """The name given, or ""."""
    return device_tensor(tensor).weight_name


@vendor_call
def cnmlBindCpuDataInfo(tensor: DeviceTensor, cpu: CpuTensor) -> None:
    """Say how the host has this tensor's values."""
    device_tensor(tensor).host = cpu_tensor(cpu)


@vendor_call
def cnmlSetDataPreprocessStrategy(tensor: DeviceTensor, cpu: CpuTensor, strategy: int) -> None:
    """Say who reorders and casts. Here the copies always do, so the choice changes nothing but what is remembered."""
    target = device_tensor(tensor)
    target.host, target.strategy = cpu_tensor(cpu), member(DataPreprocessStrategy, strategy)  # type: ignore[assignment]


@vendor_call
def cnmlEnableHardwareReshape(tensor: DeviceTensor, cpu_type: int, cpu_order: int) -> None:
    """Say how the host has this tensor's values, so that the device could reorder them; remembered as `cnmlSetDataPreprocessStrategy` is."""
    device_tensor(tensor).reshape = (member(DataType, cpu_type), member(DataOrder, cpu_order))  # type: ignore[assignment]


@vendor_call
def cnmlCreateCpuTensor(tensor_type: int, dtype: int, order: int, n: int, c: int, h: int, w: int) -> CpuTensor:
    """A host tensor.

    Raises
    ------
    CnmlError
        BADTYPEID, OUTOFRANGE.
    """
    return CpuTensor(member(TensorType, tensor_type), member(DataType, dtype), member(DataOrder, order), four((n, c, h, w)))  # type: ignore[arg-type]


@vendor_call
def cnmlDestroyCpuTensor(tensor: CpuTensor) -> None:
    """End a host tensor's life."""
    cpu_tensor(tensor).destroy()


@vendor_call
def cnmlSetCpuTensorShape(tensor: CpuTensor, dim_num: int, dim_values: Sequence[int]) -> None:
    """Another shape of four extents; LENGTHERR, OUTOFRANGE."""
    cpu_tensor(tensor).shape = four(dim_values[:dim_num])


@vendor_call
def cnmlSetCpuTensorDataType(tensor: CpuTensor, dtype: int) -> None:
    """Another data type; BADTYPEID."""
    cpu_tensor(tensor).dtype = member(DataType, dtype)  # type: ignore[assignment]


@vendor_call
def cnmlSetCpuTensorDataOrder(tensor: CpuTensor, order: int) -> None:
    """Another order in memory; BADTYPEID."""
    cpu_tensor(tensor).order = member(DataOrder, order)  # type: ignore[assignment]


@vendor_call
def cnmlSetCpuTensorPosition(tensor: CpuTensor, position: int) -> None:
    """Position of an INT8 or INT16 host tensor."""
    cpu_tensor(tensor).position = int(position)


@vendor_call
def cnmlSetCpuTensorFix8Position(tensor: CpuTensor, position: int) -> None:
    """The older name of `cnmlSetCpuTensorPosition`."""
    cpu_tensor(tensor).position = int(position)

"""Real values and the bytes that stand for them: data types, orders of axes, quantized numbers."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.api.enums import DataOrder, DataType
from cnml.api.tensors import CpuTensor, DeviceTensor
from cnml.errors import CnmlError, Status
from cnml.quantization import INT8_LIMIT, INT16_LIMIT, QuantParam, dequantize, quantize
from cnrt.data_desc import host_bytes
from cnrt.dtypes import cast
from cnrt.enums import DataType as RuntimeType
from cnrt.errors import CnrtError
from cnrt.memory import Memory, aligned_size

NUMPY: dict[DataType, np.dtype] = {
    DataType.FLOAT16: np.dtype(np.float16), DataType.FLOAT32: np.dtype(np.float32), DataType.DOUBLE: np.dtype(np.float64),
    DataType.INT8: np.dtype(np.int8), DataType.INT16: np.dtype(np.int16), DataType.INT32: np.dtype(np.int32),
    DataType.UINT8: np.dtype(np.uint8), DataType.UINT16: np.dtype(np.uint16), DataType.UINT32: np.dtype(np.uint32),
    DataType.QUANT8: np.dtype(np.uint8), DataType.BOOL: np.dtype(np.bool_)}
_RUNTIME = {DataType.FLOAT16: RuntimeType.FLOAT16, DataType.FLOAT32: RuntimeType.FLOAT32, DataType.DOUBLE: RuntimeType.FLOAT64,
            DataType.INT32: RuntimeType.INT32, DataType.UINT8: RuntimeType.UINT8, DataType.UINT16: RuntimeType.UINT16,
            DataType.UINT32: RuntimeType.UINT32, DataType.BOOL: RuntimeType.BOOL}
_LIMITS = {DataType.INT8: INT8_LIMIT, DataType.INT16: INT16_LIMIT}


def numpy_of(dtype: DataType) -> np.dtype:
    """NumPy's type of an element.

    Raises
    ------
    CnmlError
        UNSUPPORT for the types that are smaller than a byte, BADTYPEID for INVALID.
    """
    if dtype not in NUMPY:
        status = Status.BADTYPEID if dtype == DataType.INVALID else Status.UNSUPPORT
        raise CnmlError(f"failed to store a tensor of type {dtype.name}: the types are {', '.join(d.name for d in NUMPY)}", status)
    return NUMPY[dtype]


def order_axes(order: DataOrder) -> tuple[int, ...]:
    """Which axes of N, C, H, W lie from the outermost to the innermost."""
    return tuple("NCHW".index(letter) for letter in order.name)


def decode(stored: np.ndarray, dtype: DataType, param: QuantParam, quant8: tuple[float, float] = (1.0, 0.0)) -> np.ndarray:
    """The real values of stored numbers.

    Parameters
    ----------
    stored : (N, C, H, W) ndarray of the type of `dtype`
    dtype : DataType
    param : QuantParam
        For INT8 and INT16.
    quant8 : (scale, offset)
        For QUANT8.

    Returns
    -------
    ndarray of float64 for DOUBLE, INT32 and UINT32, else of float32
    """
    if dtype in _LIMITS:
        return dequantize(stored, param)
    if dtype == DataType.QUANT8:
        scale, offset = quant8
        return ((stored.astype(np.float64) - offset) * scale).astype(np.float32)
    return stored.astype(np.float64 if dtype in (DataType.DOUBLE, DataType.INT32, DataType.UINT32) else np.float32)


def encode(real: np.ndarray, dtype: DataType, param: QuantParam, quant8: tuple[float, float] = (1.0, 0.0)) -> np.ndarray:
    """Stored numbers for real values: whole numbers by rounding halves away from zero, everything held within the type's range.

    Parameters as `decode`.
    """
    if dtype in _LIMITS:
        return quantize(real, param, limit=_LIMITS[dtype])
    if dtype == DataType.QUANT8:
        scale, offset = quant8
        return cast(np.asarray(real, np.float64) / scale + offset, RuntimeType.UINT8)
    numpy_of(dtype)
    with np.errstate(over="ignore"):
        return cast(np.asarray(real), _RUNTIME[dtype])


def device_nbytes(tensor: DeviceTensor) -> int:
    """Bytes of one slice of a tensor in device memory."""
    n, c, h, w = tensor.shape
    return n * c * h * w * numpy_of(tensor.dtype).itemsize


def batch_stride(tensor: DeviceTensor, parallel: int) -> int:
    """Bytes between the slices of a data-parallel batch (64-byte aligned); the size itself for one slice."""
    nbytes = device_nbytes(tensor)
    return aligned_size(nbytes) if parallel > 1 else nbytes


def _view(tensor: DeviceTensor, memory: Memory, offset: int) -> np.ndarray:
    n, c, h, w = tensor.shape
    return memory.array(numpy_of(tensor.dtype), (n, h, w, c), offset).transpose(0, 3, 1, 2)


def read_device(tensor: DeviceTensor, memory: Memory, offset: int = 0) -> np.ndarray:
    """Real values (N, C, H, W) of a slice in device memory."""
    return decode(_view(tensor, memory, offset), tensor.dtype, tensor.quant, tensor.quant8)


def write_device(tensor: DeviceTensor, real: np.ndarray, memory: Memory, offset: int = 0) -> None:
    """Put real values (N, C, H, W) into device memory."""
    _view(tensor, memory, offset)[...] = encode(real, tensor.dtype, tensor.quant, tensor.quant8)


def held(tensor: DeviceTensor, real: np.ndarray) -> np.ndarray:
    """What remains of real values once they were stored in a tensor of this type, float32."""
    return decode(encode(real, tensor.dtype, tensor.quant, tensor.quant8), tensor.dtype, tensor.quant, tensor.quant8).astype(np.float32)


def host_array(tensor: CpuTensor, data: Any, parallel: int = 1, writable: bool = False) -> np.ndarray:
    """A host buffer as `parallel` slices in logical order.

    Parameters
    ----------
    tensor : CpuTensor
    data : C-ordered ndarray or bytes-like
    parallel : int
    writable : bool

    Returns
    -------
    (parallel, N, C, H, W) view of the buffer

    Raises
    ------
    CnmlError
        INVALIDARG for what is no buffer, LENGTHERR for one of another size.
    """
    dtype, axes = numpy_of(tensor.dtype), order_axes(tensor.order)
    try:
        raw = host_bytes(data, writable)
    except CnrtError as e:
        raise CnmlError(f"failed to read {tensor!r}: {e.message}", Status.INVALIDARG) from e
    stored = tuple(tensor.shape[a] for a in axes)
    needed = int(np.prod(stored, dtype=np.int64)) * dtype.itemsize * parallel
    if raw.size != needed:
        raise CnmlError(f"failed to use a host buffer of {raw.size} bytes for {parallel} x {tensor!r}: it must have {needed}", Status.LENGTHERR)
    return raw.view(dtype).reshape(parallel, *stored).transpose(0, *(1 + axes.index(a) for a in range(4)))


def read_host(tensor: CpuTensor, data: Any, parallel: int = 1) -> np.ndarray:
    """Real values (parallel, N, C, H, W) of a host buffer."""
    return decode(host_array(tensor, data, parallel), tensor.dtype, tensor.quant)


def write_host(tensor: CpuTensor, real: np.ndarray, data: Any, parallel: int = 1) -> None:
    """Put real values (parallel, N, C, H, W) into a host buffer."""
    host_array(tensor, data, parallel, True)[...] = encode(real, tensor.dtype, tensor.quant)

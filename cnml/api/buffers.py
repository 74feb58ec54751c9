"""Device memory, and copies that convert between the host's and the device's form of a tensor."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.api.forms import batch_stride, numpy_of, read_device, read_host, write_device, write_host
from cnml.api.forms import device_nbytes as tensor_nbytes
from cnml.api.session import vendor_call
from cnml.api.tensors import CpuTensor, DeviceTensor, cpu_tensor, device_tensor
from cnml.errors import CnmlError, Status
from cnrt.api import memory as runtime
from cnrt.memory import Memory


@vendor_call
def cnmlGetTensorSize(tensor: DeviceTensor) -> int:
    """Bytes of one slice in device memory."""
    return tensor_nbytes(device_tensor(tensor))


@vendor_call
def cnmlMalloc(size: int) -> Memory:
    """Device memory on the thread's card and channel; BADALLOC if there is not that much."""
    return runtime.cnrtMalloc(size)


@vendor_call
def cnmlMallocBatch(size: int, data_parallelism: int) -> Memory:
    """Memory for `data_parallelism` slices, each padded to 64 bytes."""
    return runtime.cnrtMallocBatch(size, data_parallelism)


@vendor_call
def cnmlMallocBuffer(tensor: DeviceTensor) -> Memory:
    """Memory for one slice of a tensor."""
    return runtime.cnrtMalloc(tensor_nbytes(device_tensor(tensor)))


@vendor_call
def cnmlMallocBatchBuffer(tensor: DeviceTensor, data_parallelism: int) -> Memory:
    """Memory for `data_parallelism` slices of a tensor."""
    return runtime.cnrtMallocBatch(tensor_nbytes(device_tensor(tensor)), data_parallelism)


@vendor_call
def cnmlFreeBuffer(ptr: Memory) -> None:
    """Free device memory; INVALIDARG the second time."""
    runtime.cnrtFree(ptr)


def _same(cpu: CpuTensor, tensor: DeviceTensor) -> None:
    cpu_tensor(cpu)
    device_tensor(tensor)
    numpy_of(tensor.dtype)
    if cpu.shape != tensor.shape:
        raise CnmlError(f"failed to copy between {cpu!r} and {tensor!r}: their shapes must be equal", Status.LENGTHERR)


@vendor_call
def cnmlMemcpyTensorToDevice(cpu: CpuTensor, src: Any, tensor: DeviceTensor, dst: Memory) -> None:
    """Convert a host array to a tensor's type and order and copy it.

    Parameters
    ----------
    cpu : CpuTensor
    src : C-ordered ndarray or bytes-like
    tensor : DeviceTensor
    dst : Memory

    Raises
    ------
    CnmlError
        LENGTHERR for shapes or sizes that differ, OUTOFRANGE for short device memory, INVALIDARG for what is no buffer.
    """
    cnmlMemcpyBatchTensorToDevice(cpu, src, tensor, dst, 1)


@vendor_call
def cnmlMemcpyTensorToHost(tensor: DeviceTensor, src: Memory, cpu: CpuTensor, dst: Any) -> None:
    """Copy from the device and convert to the host's type and order; it does not wait for queues. Errors as the other direction."""
    cnmlMemcpyBatchTensorToHost(tensor, src, cpu, dst, 1)


@vendor_call
def cnmlMemcpyBatchTensorToDevice(cpu: CpuTensor, src: Any, tensor: DeviceTensor, dst: Memory, data_parallelism: int) -> None:
    """`data_parallelism` slices: dense on the host, padded on the device."""
    _same(cpu, tensor)
    memory, stride = runtime.device_memory(dst), batch_stride(tensor, runtime.check_parallel(data_parallelism))
    for i, real in enumerate(read_host(cpu, src, data_parallelism)):
        write_device(tensor, real, memory, i * stride)


@vendor_call
def cnmlMemcpyBatchTensorToHost(tensor: DeviceTensor, src: Memory, cpu: CpuTensor, dst: Any, data_parallelism: int) -> None:
    """`data_parallelism` slices: padded on the device, dense on the host."""
    _same(cpu, tensor)
    memory, stride = runtime.device_memory(src), batch_stride(tensor, runtime.check_parallel(data_parallelism))
    real = np.stack([read_device(tensor, memory, i * stride) for i in range(data_parallelism)])
    write_host(cpu, real, dst, data_parallelism)

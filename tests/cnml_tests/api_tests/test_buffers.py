from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.api_tests.refusal import refused

from cnml import api
from cnml.api.enums import DataOrder, DataType
from cnml.errors import Status

NUMPY = {DataType.FLOAT16: np.float16, DataType.FLOAT32: np.float32, DataType.DOUBLE: np.float64, DataType.INT32: np.int32,
         DataType.UINT8: np.uint8, DataType.UINT16: np.uint16, DataType.UINT32: np.uint32, DataType.INT16: np.int16}


def tensors(shape, device=DataType.FLOAT32, host=DataType.FLOAT32, order=DataOrder.NCHW):
    return api.cnmlCreateTensor(0, device, *shape), api.cnmlCreateCpuTensor(0, host, order, *shape)


@pytest.mark.parametrize("order", list(DataOrder), ids=lambda o: o.name)
def test_the_device_has_channels_last(library, order):
    """Every order of the host becomes N, H, W, C in device memory, and comes back."""
    t, c = tensors((2, 3, 4, 5), order=order)
    x = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    stored = np.ascontiguousarray(x.transpose(["NCHW".index(a) for a in order.name]))
    memory = api.cnmlMallocBuffer(t)
    api.cnmlMemcpyTensorToDevice(c, stored, t, memory)
    np.testing.assert_array_equal(memory.array(np.float32, (2, 4, 5, 3)), x.transpose(0, 2, 3, 1))
    back = np.zeros_like(stored)
    api.cnmlMemcpyTensorToHost(t, memory, c, back)
    np.testing.assert_array_equal(back, stored)


@pytest.mark.parametrize("dtype", list(NUMPY), ids=lambda d: d.name)
def test_types_are_converted(library, dtype):
    """Halves away from zero, and within the type's range."""
    t, c = tensors((1, 1, 1, 6), dtype)
    x = np.array([0.5, 1.5, -2.5, 7.25, -70000, 70000], np.float32)
    memory = api.cnmlMallocBuffer(t)
    api.cnmlMemcpyTensorToDevice(c, x, t, memory)
    kind = np.dtype(NUMPY[dtype])
    if kind.kind == "f":
        want = np.clip(x, -65504, 65504).astype(kind) if kind == np.float16 else x.astype(kind)
    else:
        limits = (-32767, 32767) if dtype == DataType.INT16 else (np.iinfo(kind).min, np.iinfo(kind).max)
        want = np.clip(np.sign(x) * np.floor(np.abs(x.astype(np.float64)) + 0.5), *limits).astype(kind)
    np.testing.assert_array_equal(memory.array(kind, (6,)), want)
    back = np.zeros(6, np.float32)
    api.cnmlMemcpyTensorToHost(t, memory, c, back)
    np.testing.assert_array_equal(back, want.astype(np.float32))


def test_int32_is_exact(library):
    t, c = tensors((1, 1, 1, 2), DataType.INT32, DataType.INT32)
    x = np.array([2 ** 31 - 1, -2 ** 31 + 1], np.int32)
    memory, back = api.cnmlMallocBuffer(t), np.zeros(2, np.int32)
    api.cnmlMemcpyTensorToDevice(c, x, t, memory)
    api.cnmlMemcpyTensorToHost(t, memory, c, back)
    np.testing.assert_array_equal(back, x)


def test_quantized_tensors(library):
    t, c = tensors((1, 1, 1, 5), DataType.INT8)
    api.cnmlSetQuantizedPosition(t, -3)
    api.cnmlSetQuantizedScale(t, 1.25)
    x = np.array([0.1, -1.07, 3.0, 100, -100], np.float32)
    memory, back = api.cnmlMallocBuffer(t), np.zeros(5, np.float32)
    api.cnmlMemcpyTensorToDevice(c, x, t, memory)
    codes = np.clip(np.round(x * 10), -127, 127)  # 1.25 / 2 ** -3
    np.testing.assert_array_equal(memory.array(np.int8, (5,)), codes)
    api.cnmlMemcpyTensorToHost(t, memory, c, back)
    np.testing.assert_allclose(back, codes / 10, rtol=1e-6)


def test_quantized_by_channel(library):
    t, c = tensors((2, 1, 1, 2), DataType.INT8)
    api.cnmlSetQuantizedPositionByChannel(t, [0, 1], 2)
    memory = api.cnmlMallocBuffer(t)
    api.cnmlMemcpyTensorToDevice(c, np.array([3, 4, 6, 8], np.float32), t, memory)
    np.testing.assert_array_equal(memory.array(np.int8, (4,)), [3, 4, 3, 4])


def test_quant8(library):
    t, c = tensors((1, 1, 1, 3), DataType.QUANT8)
    api.cnmlSetQuant8Param(t, 0.5, 10)
    memory, back = api.cnmlMallocBuffer(t), np.zeros(3, np.float32)
    api.cnmlMemcpyTensorToDevice(c, np.array([-20, 1.2, 300], np.float32), t, memory)
    np.testing.assert_array_equal(memory.array(np.uint8, (3,)), [0, 12, 255])
    api.cnmlMemcpyTensorToHost(t, memory, c, back)
    np.testing.assert_array_equal(back, [-5, 1, 122.5])


def test_an_int8_host_tensor_has_a_position(library):
    t, c = tensors((1, 1, 1, 2), DataType.FLOAT32, DataType.INT8)
    api.cnmlSetCpuTensorPosition(c, -2)
    memory = api.cnmlMallocBuffer(t)
    api.cnmlMemcpyTensorToDevice(c, np.array([3, -8], np.int8), t, memory)
    np.testing.assert_array_equal(memory.array(np.float32, (2,)), [0.75, -2])


def test_slices_of_a_batch_are_padded(library):
    t, c = tensors((1, 1, 1, 3))
    memory = api.cnmlMallocBatchBuffer(t, 4)
    assert memory.nbytes == 4 * 64
    x, back = np.arange(12, dtype=np.float32).reshape(4, 3), np.zeros((4, 3), np.float32)
    api.cnmlMemcpyBatchTensorToDevice(c, x, t, memory, 4)
    np.testing.assert_array_equal(memory.array(np.float32, (4, 16))[:, :3], x)
    api.cnmlMemcpyBatchTensorToHost(t, memory, c, back, 4)
    np.testing.assert_array_equal(back, x)
    assert api.cnmlMallocBatch(12, 4).nbytes == 256 and api.cnmlMalloc(12).nbytes == 12


def test_refusals(library):
    t, c = tensors((1, 1, 1, 3))
    memory = api.cnmlMallocBuffer(t)
    refused(Status.LENGTHERR, "16 bytes .* must have 12", api.cnmlMemcpyTensorToDevice, c, np.zeros(4, np.float32), t, memory)
    refused(Status.OUTOFRANGE, "block of 4 bytes", api.cnmlMemcpyTensorToDevice, c, np.zeros(3, np.float32), t, api.cnmlMalloc(4))
    refused(Status.INVALIDARG, "device memory", api.cnmlMemcpyTensorToDevice, c, np.zeros(3, np.float32), t, np.zeros(3, np.float32))
    refused(Status.INVALIDARG, "read-only|buffer", api.cnmlMemcpyTensorToHost, t, memory, c, bytes(12))
    refused(Status.LENGTHERR, "shapes must be equal", api.cnmlMemcpyTensorToHost, t, memory, tensors((1, 1, 3, 1))[1], np.zeros(3, np.float32))
    refused(Status.UNSUPPORT, "type BINARY", api.cnmlMallocBuffer, api.cnmlCreateTensor(0, DataType.BINARY, 1, 1, 1, 8))
    refused(Status.BADTYPEID, "type INVALID", api.cnmlGetTensorSize, api.cnmlCreateTensor(0, DataType.INVALID, 1, 1, 1, 8))
    api.cnmlFreeBuffer(memory)
    refused(Status.INVALIDARG, "freed", api.cnmlFreeBuffer, memory)

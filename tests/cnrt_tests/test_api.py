from __future__ import annotations

import threading

import numpy as np
import pytest
from cnrt_tests import tiny_model

import cnrt.api
from cnrt import device as devices
from cnrt import model_file
from cnrt.api import (
    Dim3,
    InitFuncParam,
    InvokeFuncParam,
    cnrtCopyFunction,
    cnrtCreateFunction,
    cnrtCreateNotifier,
    cnrtCreateQueue,
    cnrtDestroy,
    cnrtDestroyFunction,
    cnrtDestroyNotifier,
    cnrtDestroyQueue,
    cnrtExtractFunction,
    cnrtFree,
    cnrtFreeArray,
    cnrtFreeHost,
    cnrtGetCurrentChannel,
    cnrtGetCurrentDevice,
    cnrtGetDataShape,
    cnrtGetDeviceCount,
    cnrtGetDeviceHandle,
    cnrtGetErrorStr,
    cnrtGetFunctionMemUsed,
    cnrtGetFunctionNumber,
    cnrtGetHostDataCount,
    cnrtGetInputDataDesc,
    cnrtGetLastErr,
    cnrtGetModelMemUsed,
    cnrtGetModelSize,
    cnrtGetOutputDataDesc,
    cnrtGetStackMem,
    cnrtGetVersion,
    cnrtInit,
    cnrtInitFunctionMemory_V2,
    cnrtInvokeFunction_V2,
    cnrtLoadModel,
    cnrtLoadModelFromMem,
    cnrtMalloc,
    cnrtMallocBatch,
    cnrtMallocBatchByDesc,
    cnrtMallocBatchByDescArray,
    cnrtMallocByDesc,
    cnrtMallocByDescArray,
    cnrtMallocHost,
    cnrtMemcpy,
    cnrtMemcpyBatch,
    cnrtMemcpyBatchByDesc,
    cnrtMemcpyBatchByDescArray,
    cnrtMemcpyByDesc,
    cnrtMemcpyByDescArray,
    cnrtMemset,
    cnrtNotifierDuration,
    cnrtPlaceNotifier,
    cnrtQueryCoreVersion,
    cnrtQueryModelParallelism,
    cnrtQueryModelStackSize,
    cnrtSetCurrentChannel,
    cnrtSetCurrentDevice,
    cnrtSetHostDataLayout,
    cnrtSetStackMem,
    cnrtSyncDevice,
    cnrtSyncQueue,
    cnrtUnloadModel,
)
from cnrt.enums import ChannelType, CoreVersion, DataType, DimOrder, MemTransDir, MemType
from cnrt.errors import CnrtError, RetCode

TO, FROM = MemTransDir.HOST2DEV, MemTransDir.DEV2HOST


@pytest.fixture
def runtime():
    """Started on the MLU100, with everything of this thread put back afterwards."""
    before, stack = devices.chosen_device(), devices.get("MLU100").stack_mb
    assert cnrtInit(0) == RetCode.SUCCESS
    cnrtSetCurrentDevice(cnrtGetDeviceHandle(0))
    with tiny_model.kernels():
        yield
    devices.get("MLU100").stack_mb = stack
    devices._thread.device, devices._thread.channel = before, -1
    cnrtDestroy()


def fails(code, call, *args):
    with pytest.raises(CnrtError) as e:
        call(*args)
    assert e.value.code == code == cnrtGetLastErr(), e.value


def test_there_are_the_vendors_59():
    newer = ("cnrt.api.casting", "cnrt.api.contexts", "cnrt.api.param_descs")  # of the MLU270 generation
    later = [n for n in cnrt.api.__all__ if getattr(cnrt.api, n).__module__ in newer]
    names = [n for n in cnrt.api.__all__ if n.startswith("cnrt") and n not in later]
    assert len(names) == 59 and all(callable(getattr(cnrt.api, n)) and getattr(cnrt.api, n).__doc__ for n in names)


def test_the_vendors_calling_order(runtime, tmp_path, rng):
    """Load, extract, initialise, allocate by descriptor, copy in, time an invocation, copy out: with four images at once on four cores."""
    path = tmp_path / "tiny.cambricon"
    model_file.save(tiny_model.model(stack_mb=20), path)
    assert cnrtGetModelSize(path) == path.stat().st_size
    model = cnrtLoadModel(path)
    assert (cnrtQueryCoreVersion(model), cnrtQueryModelParallelism(model), cnrtQueryModelStackSize(model)) == (CoreVersion.CORE_1H16, 1, 20)
    assert cnrtGetFunctionNumber(model) == 1 and cnrtGetModelMemUsed(model) == 248
    cnrtSetStackMem(cnrtQueryModelStackSize(model) + 50)
    assert cnrtGetStackMem() == 70
    cnrtSetCurrentChannel(1)
    dp = 4
    function = cnrtExtractFunction(cnrtCreateFunction(), model, "subnet0")
    assert cnrtGetFunctionMemUsed(function) == 0
    cnrtInitFunctionMemory_V2(function, InitFuncParam(False, dp))
    assert cnrtGetFunctionMemUsed(function) == 120 + dp * 128
    inputs, count = cnrtGetInputDataDesc(function)
    outputs, _ = cnrtGetOutputDataDesc(function)
    assert count == 1 and cnrtGetDataShape(inputs[0]) == (1, 3, 2, 5) and cnrtGetHostDataCount(inputs[0]) == 30
    for desc in (*inputs, *outputs):
        cnrtSetHostDataLayout(desc, DataType.FLOAT32, DimOrder.NCHW)
    sources, targets = cnrtMallocBatchByDescArray(inputs, 1, dp), cnrtMallocBatchByDescArray(outputs, 1, dp)
    assert sources[0].channel == 1 and sources[0].nbytes == dp * 128
    x, y = rng.standard_normal((dp, 1, 3, 2, 5)).astype(np.float32), np.empty((dp, 1, 3, 2, 5), np.float32)
    cnrtMemcpyBatchByDescArray(sources, [x], inputs, 1, dp, TO)
    queue, begin, end = cnrtCreateQueue(), cnrtCreateNotifier(), cnrtCreateNotifier()
    cnrtPlaceNotifier(begin, queue)
    cnrtInvokeFunction_V2(function, Dim3(), [*sources, *targets], 0, queue, InvokeFuncParam(dp))
    cnrtPlaceNotifier(end, queue)
    cnrtSyncQueue(queue)
    duration = cnrtNotifierDuration(begin, end)
    assert 0 < duration < 60e6 and duration == float(np.float32(duration))
    cnrtMemcpyBatchByDescArray([y], targets, outputs, 1, dp, FROM)
    np.testing.assert_array_equal(y, tiny_model.expected(x))
    for notifier in (begin, end):
        cnrtDestroyNotifier(notifier)
    cnrtFreeArray(sources, 1)
    cnrtFreeArray(targets)
    cnrtDestroyQueue(queue)
    other = cnrtCopyFunction(function)
    cnrtDestroyFunction(function)
    assert cnrtGetFunctionMemUsed(function) == 0 < cnrtGetFunctionMemUsed(other)
    cnrtUnloadModel(model)


def test_one_image_from_memory(runtime, rng):
    model = cnrtLoadModelFromMem(model_file.to_bytes(tiny_model.model()))
    function = cnrtExtractFunction(cnrtCreateFunction(), model, "subnet0")
    cnrtInitFunctionMemory_V2(function)
    (source,), _ = cnrtGetInputDataDesc(function)
    (target,), _ = cnrtGetOutputDataDesc(function)
    cnrtSetHostDataLayout(source, DataType.UINT8, DimOrder.NHWC)
    a, b = cnrtMallocByDesc(source), cnrtMallocByDescArray([target], 1)[0]
    x = rng.integers(0, 256, (1, 2, 5, 3), np.uint8)
    cnrtMemcpyByDesc(a, x, source, TO)
    queue = cnrtCreateQueue()
    cnrtInvokeFunction_V2(function, (1, 1, 1), [a, b], 0, queue, None)
    cnrtSyncDevice()
    y = np.empty(tiny_model.SHAPE, np.float32)
    cnrtMemcpyByDescArray([y], [b], [target], 1, FROM)
    np.testing.assert_array_equal(y, tiny_model.expected(x.transpose(0, 3, 1, 2).astype(np.float32)))
    fails(RetCode.ERR_UNSUPPORTED, cnrtInvokeFunction_V2, function, Dim3(2, 1, 1), [a, b], 0, queue, None)
    cnrtDestroyQueue(queue)


def test_nothing_works_before_init():
    cnrtDestroy()
    for call in (cnrtGetDeviceCount, cnrtCreateQueue, cnrtCreateNotifier, cnrtCreateFunction, cnrtSyncDevice, cnrtGetCurrentDevice,
                 cnrtGetCurrentChannel, lambda: cnrtMalloc(1), lambda: cnrtMallocHost(1), lambda: cnrtLoadModel("x"), lambda: cnrtGetDeviceHandle(0)):
        fails(RetCode.ERR_INIT, call)
    assert cnrtGetVersion() // 10000 >= 1
    assert cnrtGetErrorStr(632024) == "Uninitialized"


def test_devices(runtime, monkeypatch):
    assert cnrtGetDeviceCount() == 1 and cnrtGetCurrentDevice() is cnrtGetDeviceHandle(0)
    assert cnrtGetDeviceHandle(-1).kind == "null"
    fails(RetCode.ERR_NODEV, cnrtGetDeviceHandle, 1)
    fails(RetCode.ERR_INVALID, cnrtSetCurrentDevice, 0)
    fails(RetCode.ERR_INVALID, cnrtInit, 8)
    seen = []
    thread = threading.Thread(target=lambda: seen.append((cnrtGetCurrentDevice().name, cnrtGetCurrentChannel(), cnrtCreateQueue().device.name)))
    thread.start()
    thread.join()
    assert seen == [("MLU100:0", ChannelType.NONE, "MLU100:0")]
    monkeypatch.setenv("PYCAFFE_ACC_CARD", "MLU270")
    cnrtInit(0)
    assert cnrtGetDeviceHandle(0).kind == "MLU270"
    monkeypatch.setenv("PYCAFFE_ACC_CARD", "TPU")
    fails(RetCode.ERR_NODEV, cnrtInit, 0)


def test_a_fake_device(runtime):
    assert cnrtInit(1) == RetCode.WARNING_FAKE_DEVICE == 1
    cnrtSetCurrentDevice(cnrtGetDeviceHandle(0))
    function = cnrtExtractFunction(cnrtCreateFunction(), tiny_model.model(), "subnet0")
    cnrtInitFunctionMemory_V2(function)
    a = [cnrtMalloc(120), cnrtMalloc(120)]
    cnrtMemset(a[1], 7, 120)
    queue = cnrtCreateQueue()
    cnrtInvokeFunction_V2(function, Dim3(), a, 0, queue)
    cnrtDestroyQueue(queue)
    assert (a[1].array(np.uint8) == 7).all()


def test_channels_and_stack(runtime):
    cnrtSetCurrentChannel(3)
    assert cnrtGetCurrentChannel() == ChannelType.CHANNEL_3 and cnrtMalloc(10).channel == 3
    fails(RetCode.ERR_OUT_RANGE, cnrtSetCurrentChannel, 4)
    fails(RetCode.ERR_OUT_RANGE, cnrtSetStackMem, 1 << 20)
    cnrtSetCurrentDevice(cnrtGetDeviceHandle(0))
    assert cnrtGetCurrentChannel() == ChannelType.NONE


def test_raw_copies(runtime):
    host = cnrtMallocHost(64, MemType.LOCKED)
    host[...] = np.arange(64)
    memory = cnrtMalloc(64)
    cnrtMemcpy(memory, host, 64, TO)
    back = bytearray(10)
    cnrtMemcpy(back, memory, 10, FROM)
    assert list(back) == list(range(10))
    cnrtMemset(memory, 1, 5)
    cnrtMemcpy(back, memory, 10, FROM)
    assert list(back) == [1] * 5 + list(range(5, 10))
    for direction in (MemTransDir.DEV2DEV, MemTransDir.HOST2HOST, MemTransDir.NODIR, 99):
        fails(RetCode.ERR_MEMCPY, cnrtMemcpy, memory, host, 1, direction)
    fails(RetCode.ERR_MEMCPY, cnrtMemcpy, memory, host, 65, TO)
    fails(RetCode.ERR_OUT_RANGE, cnrtMemcpy, memory, bytes(65), 65, TO)
    fails(RetCode.ERR_INVALID_POINTER, cnrtMemcpy, host, memory, 1, TO)
    fails(RetCode.ERR_INVALID_POINTER, cnrtMemcpy, b"read only", memory, 1, FROM)
    fails(RetCode.ERR_INVALID_TYPE, cnrtMallocHost, 1, MemType.DEV)
    cnrtFree(memory)
    fails(RetCode.ERR_INVALID_POINTER, cnrtFree, memory)
    fails(RetCode.ERR_INVALID_POINTER, cnrtMemset, memory, 0, 1)
    fails(RetCode.ERR_NOMEM, cnrtMalloc, 3 << 30)
    cnrtFreeHost(host)


def test_slices_are_padded_on_the_device(runtime):
    memory = cnrtMallocBatch(100, 4)
    assert memory.nbytes == 4 * 128
    host = np.arange(400).astype(np.uint8)
    cnrtMemcpyBatch(memory, host, 100, 4, TO)
    assert bytes(memory.array(np.uint8, 100, 128)) == bytes(host[100:200])
    back = np.empty_like(host)
    cnrtMemcpyBatch(back, memory, 100, 4, FROM)
    np.testing.assert_array_equal(back, host)
    fails(RetCode.ERR_INVALID, cnrtMallocBatch, 100, 3)
    fails(RetCode.ERR_MEMCPY, cnrtMemcpyBatch, memory, host, 100, 8, TO)


def test_wrong_handles(runtime):
    queue, notifier = cnrtCreateQueue(), cnrtCreateNotifier()
    fails(RetCode.ERR_QUEUE, cnrtSyncQueue, None)
    fails(RetCode.ERR_NOTIFIER, cnrtPlaceNotifier, None, queue)
    fails(RetCode.ERR_NOTIFIER, cnrtNotifierDuration, notifier, notifier)
    fails(RetCode.ERR_INVALID, cnrtGetFunctionNumber, None)
    fails(RetCode.ERR_INVALID, cnrtCopyFunction, None)
    fails(RetCode.ERR_INVALID_DATADESC, cnrtMallocByDesc, None)
    fails(RetCode.ERR_INVALID_DATADESC, cnrtMemcpyByDesc, cnrtMalloc(1), b"", None, TO)
    fails(RetCode.ERR_NO_EXIST, cnrtLoadModel, "no such file")
    fails(RetCode.ERR_NO_EXIST, cnrtGetModelSize, "no such file")
    fails(RetCode.ERR_IO, cnrtLoadModelFromMem, b"no model")
    function = cnrtExtractFunction(cnrtCreateFunction(), tiny_model.model(), "subnet0")
    descs, _ = cnrtGetInputDataDesc(function)
    fails(RetCode.ERR_OUT_RANGE, cnrtMallocByDescArray, descs, 2)
    fails(RetCode.ERR_MEMCPY, cnrtMemcpyByDescArray, [], [], descs, 1, TO)
    fails(RetCode.ERR_RESHAPE, cnrtMemcpyBatchByDesc, cnrtMallocBatchByDesc(descs[0], 2), np.zeros(30, np.float32), descs[0], 2, TO)
    gate = threading.Event()
    queue.call(gate.wait)
    cnrtPlaceNotifier(notifier, queue)
    fails(RetCode.ERR_BUSY, cnrtDestroyNotifier, notifier)
    gate.set()
    cnrtDestroyQueue(queue)
    fails(RetCode.ERR_QUEUE, cnrtSyncQueue, queue)


def test_sync_reports_what_failed_in_the_queue(runtime):
    queue = cnrtCreateQueue()
    queue.call(lambda: {}["missing"])
    fails(RetCode.ERR_QUEUE, cnrtSyncQueue, queue)
    cnrtDestroyQueue(queue)

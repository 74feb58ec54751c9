"""Contexts and asynchronous copies of the MLU270 generation."""
from __future__ import annotations

import threading

import numpy as np
import pytest
from cnrt_tests import tiny_model

from cnrt import device as devices
from cnrt.api import (
    cnrtCreateFunction,
    cnrtCreateNotifier,
    cnrtCreateQueue,
    cnrtCreateRuntimeContext,
    cnrtDestroy,
    cnrtDestroyRuntimeContext,
    cnrtExtractFunction,
    cnrtGetCurrentDevice,
    cnrtGetDeviceInfo,
    cnrtGetInputDataShape,
    cnrtGetInputDataSize,
    cnrtGetInputDataType,
    cnrtGetOutputDataShape,
    cnrtGetOutputDataSize,
    cnrtGetOutputDataType,
    cnrtGetRuntimeContextInfo,
    cnrtInit,
    cnrtInitRuntimeContext,
    cnrtInvokeRuntimeContext,
    cnrtMalloc,
    cnrtMemcpy,
    cnrtMemcpyAsync,
    cnrtPlaceNotifier,
    cnrtQueryNotifier,
    cnrtQueueWaitNotifier,
    cnrtRuntimeContextCreateNotifier,
    cnrtRuntimeContextCreateQueue,
    cnrtRuntimeContextMallocBySizeArray,
    cnrtSetCurrentContextDevice,
    cnrtSetRuntimeContextChannel,
    cnrtSetRuntimeContextDeviceId,
    cnrtSyncQueue,
    cnrtTransDataOrder,
    cnrtWaitNotifier,
)
from cnrt.enums import CoreVersion, DataType, MemTransDir, RuntimeContextInfo
from cnrt.errors import CnrtError, RetCode

TO, FROM = MemTransDir.HOST2DEV, MemTransDir.DEV2HOST


@pytest.fixture
def runtime(monkeypatch):
    """Two MLU270 cards."""
    monkeypatch.setenv("PYCAFFE_ACC_CARD", "MLU270")
    monkeypatch.setenv("PYCAFFE_ACC_CARDS", "2")
    before = devices.chosen_device()
    devices._thread.device = None
    cnrtInit(0)
    with tiny_model.kernels():
        yield
    devices._thread.device, devices._thread.channel = before, -1
    cnrtDestroy()


def fails(code, words, call, *args):
    with pytest.raises(CnrtError, match=words) as e:
        call(*args)
    assert e.value.code == code, e.value


def context():
    return cnrtCreateRuntimeContext(cnrtExtractFunction(cnrtCreateFunction(), tiny_model.model(), "subnet0"))


def test_the_vendors_calling_order(runtime, rng):
    """On the second card: describe, allocate, copy, run between markers, copy back."""
    ctx = context()
    function = ctx.function
    cnrtSetRuntimeContextDeviceId(ctx, 1)
    cnrtSetRuntimeContextChannel(ctx, 2)
    cnrtInitRuntimeContext(ctx)
    cnrtSetCurrentContextDevice(ctx)
    assert cnrtGetCurrentDevice() is devices.get("MLU270", 1)
    (sizes, count), (out_sizes, _) = cnrtGetInputDataSize(function), cnrtGetOutputDataSize(function)
    assert (sizes, count, out_sizes) == ([120], 1, [120])
    assert cnrtGetInputDataType(function) == ([DataType.FLOAT32], 1) == cnrtGetOutputDataType(function)
    assert cnrtGetInputDataShape(0, function) == ([1, 2, 5, 3], 4) == cnrtGetOutputDataShape(0, function), "device memory has channels last"
    source, target = cnrtRuntimeContextMallocBySizeArray(ctx, [*sizes, *out_sizes], 2)
    assert source.device is devices.get("MLU270", 1) and source.channel == 2
    queue = cnrtRuntimeContextCreateQueue(ctx)
    begin, end = (cnrtRuntimeContextCreateNotifier(ctx) for _ in range(2))
    x = rng.standard_normal((1, 3, 2, 5)).astype(np.float32)
    stored = np.zeros((1, 2, 5, 3), np.float32)
    cnrtTransDataOrder(x, DataType.FLOAT32, stored, 4, [1, 3, 2, 5], [0, 2, 3, 1])
    cnrtMemcpy(source, stored, 120, TO)
    cnrtPlaceNotifier(begin, queue)
    cnrtInvokeRuntimeContext(ctx, [source, target], queue)
    cnrtPlaceNotifier(end, queue)
    cnrtWaitNotifier(end)
    assert cnrtQueryNotifier(begin) == cnrtQueryNotifier(end) == RetCode.SUCCESS
    cnrtMemcpy(stored, target, 120, FROM)
    np.testing.assert_array_equal(stored.transpose(0, 3, 1, 2), tiny_model.expected(x[None])[0])
    info = {k: cnrtGetRuntimeContextInfo(ctx, k) for k in RuntimeContextInfo}
    assert info == {RuntimeContextInfo.FUNCTION: function, RuntimeContextInfo.DEV_ORDINAL: 1, RuntimeContextInfo.CORE_NUMBER: 16,
                    RuntimeContextInfo.MODEL_PARALLEL: 1, RuntimeContextInfo.CHANNEL: 2, RuntimeContextInfo.MAX_BATCH_NUM: 1}
    cnrtDestroyRuntimeContext(ctx)
    fails(RetCode.ERR_INVALID, "it was destroyed", cnrtDestroyRuntimeContext, ctx)


def test_the_order_of_calls_is_checked(runtime):
    ctx = context()
    for call in (cnrtRuntimeContextCreateQueue, cnrtRuntimeContextCreateNotifier, cnrtSetCurrentContextDevice):
        fails(RetCode.ERR_INIT, "cnrtInitRuntimeContext first", call, ctx)
    fails(RetCode.ERR_INIT, "cnrtInitRuntimeContext first", cnrtInvokeRuntimeContext, ctx, [], cnrtCreateQueue())
    cnrtInitRuntimeContext(ctx)
    fails(RetCode.ERR_INVALID, "initialised already", cnrtInitRuntimeContext, ctx)
    fails(RetCode.ERR_INVALID, "initialised already", cnrtSetRuntimeContextDeviceId, ctx, 1)
    fails(RetCode.ERR_INVALID, "initialised already", cnrtSetRuntimeContextChannel, ctx, 1)
    fails(RetCode.ERR_INVALID, "the keys are FUNCTION 1", cnrtGetRuntimeContextInfo, ctx, 9)
    fails(RetCode.ERR_OUT_RANGE, "3 of 2 blocks", cnrtRuntimeContextMallocBySizeArray, ctx, [1, 2], 3)
    fails(RetCode.ERR_OUT_RANGE, "has 1", cnrtGetInputDataShape, 1, ctx.function)
    other = context()
    fails(RetCode.ERR_NODEV, "there are 2", cnrtSetRuntimeContextDeviceId, other, 2)
    cnrtSetRuntimeContextChannel(other, 9)
    fails(RetCode.ERR_OUT_RANGE, "channel 9", cnrtInitRuntimeContext, other)
    fails(RetCode.ERR_FUNC_CALL, "empty function", cnrtCreateRuntimeContext, cnrtCreateFunction())
    fails(RetCode.ERR_INVALID, "must come from cnrtCreateRuntimeContext", cnrtInitRuntimeContext, "ctx")
    fails(RetCode.ERR_INVALID, "must come from cnrtCreateFunction", cnrtCreateRuntimeContext, "function")


def test_contexts_have_memory_of_their_own(runtime, rng):
    """Two contexts of one function on two cards."""
    function = cnrtExtractFunction(cnrtCreateFunction(), tiny_model.model(), "subnet0")
    x = rng.standard_normal((1, 2, 5, 3)).astype(np.float32)
    for ordinal in (0, 1):
        ctx = cnrtCreateRuntimeContext(function)
        cnrtSetRuntimeContextDeviceId(ctx, ordinal)
        cnrtInitRuntimeContext(ctx)
        used = devices.get("MLU270", ordinal).account
        assert ctx.function is not function and ctx.function.device is devices.get("MLU270", ordinal) and used is not None
        source, target = cnrtRuntimeContextMallocBySizeArray(ctx, [120, 120], 2)
        cnrtMemcpy(source, x, 120, TO)
        queue = cnrtRuntimeContextCreateQueue(ctx)
        cnrtInvokeRuntimeContext(ctx, [source, target], queue)
        cnrtSyncQueue(queue)
        out = np.zeros_like(x)
        cnrtMemcpy(out, target, 120, FROM)
        np.testing.assert_array_equal(out.transpose(0, 3, 1, 2)[None], tiny_model.expected(np.ascontiguousarray(x.transpose(0, 3, 1, 2))[None]))


def test_device_info(runtime):
    info = cnrtGetDeviceInfo(1)
    assert (info.name, info.core_version, info.core_num) == ("MLU270", CoreVersion.MLU270, 16)
    fails(RetCode.ERR_NODEV, "there are 2", cnrtGetDeviceInfo, 2)


def test_asynchronous_copies_keep_the_order(runtime):
    queue, gate = cnrtCreateQueue(), threading.Event()
    memory, x, out = cnrtMalloc(16), np.arange(4, dtype=np.float32), np.zeros(4, np.float32)
    queue.call(gate.wait)
    cnrtMemcpyAsync(memory, x, 16, queue, TO)
    cnrtMemcpyAsync(out, memory, 16, queue, FROM)
    assert not out.any()
    gate.set()
    cnrtSyncQueue(queue)
    np.testing.assert_array_equal(out, x)
    fails(RetCode.ERR_MEMCPY, "has 16", cnrtMemcpyAsync, memory, x, 17, queue, TO)
    fails(RetCode.ERR_OUT_RANGE, "block of 16", cnrtMemcpyAsync, memory, np.zeros(8, np.float32), 32, queue, TO)
    fails(RetCode.ERR_MEMCPY, "DEV2DEV", cnrtMemcpyAsync, memory, x, 16, queue, MemTransDir.DEV2DEV)
    fails(RetCode.ERR_QUEUE, "must come from cnrtCreateQueue", cnrtMemcpyAsync, memory, x, 16, "queue", TO)


def test_a_queue_waits_for_a_marker_of_another(runtime):
    first, second, gate, seen = cnrtCreateQueue(), cnrtCreateQueue(), threading.Event(), []
    marker = cnrtCreateNotifier()
    fails(RetCode.ERR_NOTIFIER, "was not placed", cnrtWaitNotifier, marker)
    first.call(gate.wait)
    first.call(lambda: seen.append("first"))
    cnrtPlaceNotifier(marker, first)
    cnrtQueueWaitNotifier(marker, second)
    second.call(lambda: seen.append("second"))
    assert cnrtQueryNotifier(marker) == RetCode.ERR_BUSY
    gate.set()
    cnrtSyncQueue(second)
    assert seen == ["first", "second"] and cnrtQueryNotifier(marker) == RetCode.SUCCESS
    fails(RetCode.ERR_NOTIFIER, "must come from cnrtCreateNotifier", cnrtWaitNotifier, None)

"""Parameter descriptors of the MLU270 generation, and runs that are given them."""
from __future__ import annotations

import numpy as np
import pytest
from cnrt_tests import tiny_model

from cnrt import device as devices
from cnrt.api import (
    cnrtCreateFunction,
    cnrtCreateParamDesc,
    cnrtCreateParamDescArray,
    cnrtCreateRuntimeContext,
    cnrtDestroy,
    cnrtDestroyParamDesc,
    cnrtDestroyParamDescArray,
    cnrtExtractFunction,
    cnrtGetIdFromParamDesc,
    cnrtGetNameFromParamDesc,
    cnrtGetShapeFromParamDesc,
    cnrtInferFunctionOutputShape,
    cnrtInit,
    cnrtInitRuntimeContext,
    cnrtInvokeRuntimeContext_V2,
    cnrtMemcpy,
    cnrtRuntimeContextCreateQueue,
    cnrtRuntimeContextMallocBySizeArray,
    cnrtSetDataTypeToParamDesc,
    cnrtSetNameToParamDesc,
    cnrtSetShapeToParamDesc,
    cnrtSyncQueue,
)
from cnrt.enums import DataType, MemTransDir
from cnrt.errors import CnrtError, RetCode

STORED = [1, 2, 5, 3]  # channels last


@pytest.fixture
def function(monkeypatch):
    """Of the tiny model, on a MLU270."""
    monkeypatch.setenv("PYCAFFE_ACC_CARD", "MLU270")
    before = devices.chosen_device()
    devices._thread.device = None
    cnrtInit(0)
    with tiny_model.kernels():
        yield cnrtExtractFunction(cnrtCreateFunction(), tiny_model.model(), "subnet0")
    devices._thread.device, devices._thread.channel = before, -1
    cnrtDestroy()


def fails(code, words, call, *args):
    with pytest.raises(CnrtError, match=words) as e:
        call(*args)
    assert e.value.code == code, e.value


def test_a_run_with_inferred_shapes(function, rng):
    """In the order of the vendor's programs: shape of the input, shapes of the outputs, run."""
    context = cnrtCreateRuntimeContext(function)
    cnrtInitRuntimeContext(context)
    inputs, outputs = cnrtCreateParamDescArray(1), cnrtCreateParamDescArray(1)
    cnrtSetShapeToParamDesc(inputs[0], STORED, 4)
    cnrtSetDataTypeToParamDesc(inputs[0], DataType.FLOAT32)
    cnrtInferFunctionOutputShape(function, 1, inputs, 1, outputs)
    assert cnrtGetShapeFromParamDesc(outputs[0]) == (STORED, 4) and cnrtGetNameFromParamDesc(outputs[0]) == "prob"
    queue = cnrtRuntimeContextCreateQueue(context)
    source, target = cnrtRuntimeContextMallocBySizeArray(context, [120, 120], 2)
    x = rng.standard_normal((1, 2, 5, 3)).astype(np.float32)
    got = np.zeros_like(x)
    for descs in ([*inputs, *outputs], None):
        cnrtMemcpy(source, x, 120, MemTransDir.HOST2DEV)
        cnrtInvokeRuntimeContext_V2(context, descs, [source, target], queue)
        cnrtSyncQueue(queue)
        cnrtMemcpy(got, target, 120, MemTransDir.DEV2HOST)
        np.testing.assert_array_equal(got.transpose(0, 3, 1, 2), tiny_model.expected(x.transpose(0, 3, 1, 2)[None])[0])
        got[...] = 0
    cnrtDestroyParamDescArray(inputs, 1)
    fails(RetCode.ERR_INVALID, "it was destroyed", cnrtInvokeRuntimeContext_V2, context, [*inputs, *outputs], [source, target], queue)


def test_what_does_not_fit_is_refused(function):
    context = cnrtCreateRuntimeContext(function)
    cnrtInitRuntimeContext(context)
    queue = cnrtRuntimeContextCreateQueue(context)
    memory = cnrtRuntimeContextMallocBySizeArray(context, [120, 120], 2)
    one, other = cnrtCreateParamDescArray(2)
    fails(RetCode.ERR_INVALID, "no shape; call cnrtSetShapeToParamDesc", cnrtInvokeRuntimeContext_V2, context, [one, other], memory, queue)
    cnrtSetShapeToParamDesc(one, STORED, 4)
    cnrtSetShapeToParamDesc(other, [4, 2, 5, 3], 4)
    fails(RetCode.ERR_INVALID, r"\[4, 2, 5, 3\] for parameter 1 'prob': the model was compiled for \[1, 2, 5, 3\]",
          cnrtInvokeRuntimeContext_V2, context, [one, other], memory, queue)
    fails(RetCode.ERR_OUT_RANGE, "1 parameter descriptors: the function has 2", cnrtInvokeRuntimeContext_V2, context, [one], memory, queue)
    fails(RetCode.ERR_OUT_RANGE, "2 input descriptors: the function has 1", cnrtInferFunctionOutputShape, function, 2, [one, other], 1, [other])
    fails(RetCode.ERR_INVALID, "for input 0 'data'", cnrtInferFunctionOutputShape, function, 1, [other], 1, [one])
    cnrtSetDataTypeToParamDesc(one, DataType.FLOAT16)
    fails(RetCode.ERR_INVALID, "FLOAT16 for input 0 'data': the device keeps FLOAT32", cnrtInferFunctionOutputShape, function, 1, [one], 1, [other])
    fails(RetCode.ERR_INVALID, "must come from cnrtCreateRuntimeContext", cnrtInvokeRuntimeContext_V2, "ctx", [one], memory, queue)


def test_descriptors(function):
    desc = cnrtCreateParamDesc()
    assert cnrtGetShapeFromParamDesc(desc) == ([], 0) and cnrtGetNameFromParamDesc(desc) == "" and cnrtGetIdFromParamDesc(desc) == 0
    cnrtSetNameToParamDesc(desc, "image")
    cnrtSetShapeToParamDesc(desc, [7, 8, 9], 2)
    assert cnrtGetShapeFromParamDesc(desc) == ([7, 8], 2) and cnrtGetNameFromParamDesc(desc) == "image"
    assert [cnrtGetIdFromParamDesc(d) for d in cnrtCreateParamDescArray(3)] == [0, 1, 2]
    fails(RetCode.ERR_OUT_RANGE, "3 of 2", cnrtSetShapeToParamDesc, desc, [1, 2], 3)
    fails(RetCode.ERR_INVALID, "positive extents", cnrtSetShapeToParamDesc, desc, [1, 0], 2)
    fails(RetCode.ERR_INVALID_TYPE, "must be a DataType", cnrtSetDataTypeToParamDesc, desc, 999)
    fails(RetCode.ERR_OUT_RANGE, "-1 parameter descriptors", cnrtCreateParamDescArray, -1)
    fails(RetCode.ERR_INVALID, "must come from cnrtCreateParamDesc", cnrtGetShapeFromParamDesc, [1])
    cnrtDestroyParamDesc(desc)
    fails(RetCode.ERR_INVALID, "it was destroyed", cnrtDestroyParamDesc, desc)

from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import loaded, read, tensor
from cnml_tests.api_tests.test_fusion import Net

from cnml import api
from cnml.api.enums import DataType
from cnml.errors import Status
from cnrt.api import (
    Dim3,
    cnrtCreateFunction,
    cnrtCreateQueue,
    cnrtExtractFunction,
    cnrtGetInputDataDesc,
    cnrtGetOutputDataDesc,
    cnrtInitFunctionMemory_V2,
    cnrtInvokeFunction_V2,
    cnrtLoadModel,
    cnrtLoadModelFromMem,
    cnrtMallocByDescArray,
    cnrtMemcpyByDescArray,
    cnrtQueryModelParallelism,
    cnrtSyncQueue,
)
from cnrt.enums import MemTransDir


def invoke(model, symbol, x):
    """A model's function on one input, by the runtime alone."""
    function = cnrtExtractFunction(cnrtCreateFunction(), model, symbol)
    cnrtInitFunctionMemory_V2(function)
    (inputs, _), (outputs, _) = cnrtGetInputDataDesc(function), cnrtGetOutputDataDesc(function)
    sources, targets = cnrtMallocByDescArray(inputs), cnrtMallocByDescArray(outputs)
    cnrtMemcpyByDescArray(sources, [np.ascontiguousarray(x)], inputs, 1, MemTransDir.HOST2DEV)
    queue = cnrtCreateQueue()
    cnrtInvokeFunction_V2(function, Dim3(), [*sources, *targets], 0, queue)
    cnrtSyncQueue(queue)
    out = np.zeros(outputs[0].device.shape, np.float32)
    cnrtMemcpyByDescArray([out], targets, outputs, 1, MemTransDir.DEV2HOST)
    return out


@pytest.mark.parametrize("dtype", [DataType.FLOAT32, DataType.FLOAT16])
def test_a_saved_chain_gives_the_same_bits(library, rng, tmp_path, dtype):
    net = Net(rng, dtype)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    api.cnmlCompileFusionOp(net.fusion, 3, 4)
    api.cnmlCompileBaseOp(net.ops[0], 3, 4)
    model = api.cnmlCreateModel("net")
    api.cnmlAddFusionOpToModel(model, net.fusion, "subnet0")
    api.cnmlAddBaseOpToModel(model, net.ops[0], "conv")
    refused(Status.INVALIDARG, "the symbol is taken", api.cnmlAddBaseOpToModel, model, net.ops[0], "conv")
    path = tmp_path / "net.cambricon"
    api.cnmlSaveModel(model, path)
    x = rng.standard_normal((1, 3, 8, 8)).astype(np.float16).astype(np.float32)
    queue, target, conv = cnrtCreateQueue(), api.cnmlMallocBuffer(net.y), api.cnmlMallocBuffer(net.conv)
    source = loaded(net.x, x)
    api.cnmlComputeFusionOpForward_V3(net.fusion, [source], 1, [target], 1, None, queue)
    api.cnmlComputeConvOpForward_V3(net.ops[0], source, conv, None, queue)
    cnrtSyncQueue(queue)
    for loaded_model in (cnrtLoadModel(path), cnrtLoadModelFromMem(api.cnmlSaveModelToMem(model))):
        assert cnrtQueryModelParallelism(loaded_model) == 4
        np.testing.assert_array_equal(invoke(loaded_model, "subnet0", x), read(net.y, target))
        np.testing.assert_array_equal(invoke(loaded_model, "conv", x), read(net.conv, conv))
    api.cnmlDestroyModel(model)
    refused(Status.INVALIDARG, "it was destroyed", api.cnmlSaveModel, model, path)


def test_refusals(library, rng, tmp_path):
    model = api.cnmlCreateModel("m")
    refused(Status.INVALIDARG, "it has no operators", api.cnmlSaveModel, model, tmp_path / "m")
    refused(Status.INVALIDARG, "it has no operators", api.cnmlSaveModelToMem, model)
    x, y = tensor((1, 2, 3, 4)), tensor((1, 2, 3, 4))
    op = api.cnmlCreateFloorOp(x, y)
    refused(Status.INVALIDARG, "call cnmlCompileBaseOp first", api.cnmlAddBaseOpToModel, model, op, "floor")
    api.cnmlCompileBaseOp(op, 3, 1)
    api.cnmlAddBaseOpToModel(model, op, "floor")
    refused(Status.UNSUPPORT, "Elementwise 'FloorOp' into an offline program: it runs on the host", api.cnmlSaveModel, model, tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_one_parallelism_for_all(library, rng, tmp_path):
    model = api.cnmlCreateModel("m")
    for cores in (1, 2):
        op = api.cnmlCreateAbsOp(tensor((1, 2, 3, 4)), tensor((1, 2, 3, 4)))
        api.cnmlCompileBaseOp(op, 3, cores)
        api.cnmlAddBaseOpToModel(model, op, f"abs{cores}")
    refused(Status.INVALIDARG, r"compiled for \[1, 2\] cores", api.cnmlSaveModel, model, tmp_path / "m")
    other = api.cnmlCreateModel("m")
    api.cnmlAddBaseOpToModel(other, op, "abs")
    refused(Status.INVALIDARG, "cnmlSaveModel: failed to write", api.cnmlSaveModel, other, tmp_path / "no" / "folder")

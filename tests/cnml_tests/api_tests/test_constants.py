from __future__ import annotations

import numpy as np
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import constant, conv_param, host, loaded, read, tensor

from cnml import api
from cnml.api.enums import DataOrder, DataType, TensorType
from cnml.errors import Status
from cnrt.api import cnrtCreateQueue, cnrtSyncQueue


def test_data_is_taken_in_the_hosts_order(library):
    t = api.cnmlCreateTensor(TensorType.FILTER, DataType.FLOAT32, 2, 3, 4, 5)
    x = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    cpu = api.cnmlCreateCpuTensor(TensorType.FILTER, DataType.FLOAT32, DataOrder.NHWC, 2, 3, 4, 5)
    given = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    api.cnmlBindConstData(t, cpu, given)
    given[...] = 0
    np.testing.assert_array_equal(t.constant, x)


def test_a_vector_may_have_another_shape(library):
    t = api.cnmlCreateTensor(TensorType.CONST, DataType.FLOAT32, 1, 3, 1, 1)
    api.cnmlBindConstData(t, host((3, 1, 1, 1)), np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(t.constant.reshape(-1), [1, 2, 3])


def test_refusals(library):
    refused(Status.INVALIDARG, "must be FILTER or CONST", api.cnmlBindConstData, tensor((1, 1, 1, 2)), host((1, 1, 1, 2)), np.zeros(2, np.float32))
    t = api.cnmlCreateTensor(TensorType.CONST, DataType.FLOAT32, 1, 3, 1, 1)
    refused(Status.LENGTHERR, "2 values .* it has 3", api.cnmlBindConstData, t, host((1, 1, 1, 2)), np.zeros(2, np.float32))
    api.cnmlSetWeightName(t, "w")
    refused(Status.INVALIDARG, "its name is 'w'", api.cnmlUpdateWeight, t, "v")
    refused(Status.INVALIDARG, "call cnmlBindConstData first", api.cnmlUpdateWeight, t, "w")


def test_without_data_nothing_compiles(library):
    w = api.cnmlCreateTensor(TensorType.FILTER, DataType.FLOAT32, 2, 3, 1, 1)
    op = api.cnmlCreateConvOp(conv_param(), tensor((1, 3, 4, 4)), tensor((1, 2, 4, 4)), w, None)
    api.cnmlCheckBaseOpRunnable(op, 3)
    refused(Status.INVALIDARG, "failed to compile ConvOp: .* has no data", api.cnmlCompileBaseOp, op, 3, 1)


def test_weights_change_under_a_compiled_operator(library, rng):
    w = constant(rng.standard_normal((2, 3, 1, 1)))
    x, y = tensor((1, 3, 4, 4)), tensor((1, 2, 4, 4))
    op = api.cnmlCreateConvOp(conv_param(), x, y, w, None)
    api.cnmlCompileBaseOp(op, 3, 1)
    values, queue = rng.standard_normal((1, 3, 4, 4)).astype(np.float32), cnrtCreateQueue()
    source, target = loaded(x, values), api.cnmlMallocBuffer(y)
    for _ in range(2):
        api.cnmlComputeConvOpForward_V3(op, source, target, None, queue)
        cnrtSyncQueue(queue)
        np.testing.assert_allclose(read(y, target), np.einsum("oc,nchw->nohw", w.constant[:, :, 0, 0], values), rtol=1e-5, atol=1e-6)
        api.cnmlSetWeightName(w, "w")
        api.cnmlBindConstData(w, host((2, 3, 1, 1)), rng.standard_normal((2, 3, 1, 1)).astype(np.float32))
        api.cnmlUpdateWeight(w, "w")


def test_a_constant_may_be_an_input(library, rng):
    """An operand that is read like an input, but has data: its pointer may be None, and it can be updated."""
    a, b, y = tensor((1, 2, 3, 3)), constant(rng.standard_normal((1, 2, 3, 3))), tensor((1, 2, 3, 3))
    op = api.cnmlCreateAddOp(a, b, y)
    api.cnmlCompileBaseOp(op, 3, 1)
    values, queue = rng.standard_normal((1, 2, 3, 3)).astype(np.float32), cnrtCreateQueue()
    source, target = loaded(a, values), api.cnmlMallocBuffer(y)
    for _ in range(2):
        api.cnmlComputeAddOpForward_V3(op, source, None, target, None, queue)
        cnrtSyncQueue(queue)
        np.testing.assert_allclose(read(y, target), values + b.constant, rtol=1e-6)
        api.cnmlSetWeightName(b, "b")
        api.cnmlBindConstData(b, host((1, 2, 3, 3)), rng.standard_normal((1, 2, 3, 3)).astype(np.float32))
        api.cnmlUpdateWeight(b, "b")


def test_constants_are_held_in_their_tensors_type(library):
    """A weight that no half holds is rounded when the operator is compiled."""
    w = constant(np.full((1, 1, 1, 1), 1 + 2.0 ** -12), DataType.FLOAT16)
    x, y = tensor((1, 1, 1, 1)), tensor((1, 1, 1, 1))
    op = api.cnmlCreateConvOp(conv_param(), x, y, w, None)
    api.cnmlCompileBaseOp(op, 3, 1)
    queue, source, target = cnrtCreateQueue(), loaded(x, np.ones((1, 1, 1, 1))), api.cnmlMallocBuffer(y)
    api.cnmlComputeConvOpForward_V3(op, source, target, None, queue)
    cnrtSyncQueue(queue)
    assert read(y, target).item() == 1.0

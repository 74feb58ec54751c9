from __future__ import annotations

import threading

import numpy as np
import pytest
from cnml_tests.api_tests.api_case import run_device
from cnml_tests.api_tests.layer_cases import CASES as LAYERS
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import constant, conv_param, loaded, read, tensor

from cnml import api
from cnml.errors import Status
from cnrt import device as devices
from cnrt.api import InvokeFuncParam, cnrtCreateQueue, cnrtSyncQueue
from cnrt.errors import CnrtError
from cnrt.queue import Queue


def adder(shape=(1, 2, 3, 4)):
    """A compiled AddOp and its tensors."""
    a, b, y = tensor(shape), tensor(shape), tensor(shape)
    op = api.cnmlCreateAddOp(a, b, y)
    api.cnmlCompileBaseOp(op, 3, 1)
    return op, a, b, y


def test_a_run_is_asynchronous_and_in_order(library, rng):
    """A queue held up by a callback has not computed yet; afterwards three runs depend on each other."""
    op, a, b, y = adder()
    x = rng.standard_normal(a.shape).astype(np.float32)
    first, second, target = loaded(a, x), loaded(b, x), loaded(y, np.zeros(y.shape))
    queue, gate = cnrtCreateQueue(), threading.Event()
    queue.call(gate.wait)
    api.cnmlComputeAddOpForward_V3(op, first, second, target, None, queue)
    api.cnmlComputeAddOpForward_V3(op, target, second, target, None, queue)
    assert not read(y, target).any()
    gate.set()
    cnrtSyncQueue(queue)
    np.testing.assert_allclose(read(y, target), 3 * x, rtol=1e-6)


@pytest.mark.parametrize("parallel", [2, 4])
def test_data_parallelism(library, rng, parallel):
    """Slices of the batch, padded in device memory, are computed one like the other."""
    op, a, b, y = adder((1, 1, 1, 5))
    x, z = (rng.standard_normal((parallel, 1, 1, 1, 5)).astype(np.float32) for _ in range(2))
    target, queue = api.cnmlMallocBatchBuffer(y, parallel), cnrtCreateQueue()
    api.cnmlComputeAddOpForward_V3(op, loaded(a, x, parallel), loaded(b, z, parallel), target, InvokeFuncParam(parallel), queue)
    cnrtSyncQueue(queue)
    np.testing.assert_allclose(read(y, target, parallel), x + z, rtol=1e-6)


def test_queues_of_two_threads_share_an_operator(library, rng):
    op, a, b, y = adder((1, 4, 16, 16))
    queues = [cnrtCreateQueue() for _ in range(2)]
    jobs = []
    for i in range(20):
        x = rng.standard_normal(a.shape).astype(np.float32)
        target = api.cnmlMallocBuffer(y)
        api.cnmlComputeAddOpForward_V3(op, loaded(a, x), loaded(b, x), target, None, queues[i % 2])
        jobs.append((x, target))
    for q in queues:
        cnrtSyncQueue(q)
    for x, target in jobs:
        np.testing.assert_array_equal(read(y, target), 2 * x)


def test_a_tensor_may_be_input_and_output(library, rng):
    a = tensor((1, 2, 3, 4))
    op = api.cnmlCreateMinusOp(a, a)
    api.cnmlCompileBaseOp(op, 3, 1)
    x, queue = rng.standard_normal(a.shape).astype(np.float32), cnrtCreateQueue()
    memory = loaded(a, x)
    api.cnmlComputeMinusOpForward_V3(op, memory, memory, None, queue)
    cnrtSyncQueue(queue)
    np.testing.assert_array_equal(read(a, memory), -x)


def test_what_is_known_of_a_compiled_operator(library, rng):
    w = constant(rng.standard_normal((8, 4, 3, 3)))
    op = api.cnmlCreateConvOp(conv_param(pad=2), tensor((1, 4, 8, 8)), tensor((1, 8, 8, 8)), w, None)
    refused(Status.INVALIDARG, "call cnmlCompileBaseOp first", api.cnmlGetMaxMemUsed, op)
    api.cnmlCompileBaseOp(op, 3, 4)
    total, shared, private = api.cnmlGetMaxMemUsed(op)
    assert total == shared + private and shared >= 8 * 4 * 9 * 4 and private >= (4 + 8) * 64 * 4
    assert api.cnmlGetIOCount(op) == 2 and api.cnmlGetBaseOpRequiredStackSize(op) == 1


def test_refused_at_creation(library):
    x, y = tensor((1, 2, 3, 4)), tensor((1, 2, 3, 4))
    refused(Status.INVALIDARG, "must come from cnmlCreateTensor", api.cnmlCreateAddOp, x, "b", y)
    refused(Status.BADTYPEID, "77 as ActiveFunction", api.cnmlCreateActiveOp, 77, x, y)
    refused(Status.LENGTHERR, "input_num is 2 and inputs has 1", api.cnmlCreateConcatOp, api.cnmlCreateConcatOpParam(2, 1, 0), [x], 2, [y], 1)
    refused(Status.BADCAST, "must be a function", api.cnmlCreateCustomizedActiveOp, 3, api.cnmlCreateCustomizedActiveOpParam(0, 1, 0, 4), x, y)
    with pytest.raises(TypeError):
        api.cnmlCreateAddOp(x, y)


@pytest.mark.parametrize("make, status, words", [
    (lambda x: api.cnmlCreateAddOp(x, tensor((1, 2, 3, 5)), x), Status.INVALIDPARAM, "both must have the same shape"),
    (lambda x: api.cnmlCreateAbsOp(x, tensor((1, 2, 4, 3))), Status.LENGTHERR, r"result has the shape \(1, 2, 3, 4\) and the output tensor"),
    (lambda x: api.cnmlCreateCycleAddOp(x, tensor((1, 3, 1, 1)), x), Status.INVALIDPARAM, r"must be \(1, 2, 1, 1\)"),
    (lambda x: api.cnmlCreateBatchNormOp(x, x, constant(np.zeros((1, 3, 1, 1))), constant(np.zeros((1, 2, 1, 1)))), Status.INVALIDPARAM, "mean"),
    (lambda x: api.cnmlCreateConvOp(conv_param(), x, x, constant(np.zeros((2, 5, 1, 1))), None), Status.INVALIDPARAM, "weights"),
    (lambda x: api.cnmlCreateConvOp(conv_param(0), x, x, constant(np.zeros((2, 2, 1, 1))), None), Status.INVALIDPARAM, "strides must be positive"),
    (lambda x: api.cnmlCreatePoolOp(api.cnmlCreatePoolOpParam(2, 2, 1, 1, 1, 1, 1, 1, 0, 0, True), x, x), Status.UNSUPPORT, "must be even"),
    (lambda x: api.cnmlCreatePoolOp(api.cnmlCreatePoolOpParam(2, 2, 1, 1, 0, 0, 2, 2, 0, 0, True), x, x), Status.UNSUPPORT, "dilation"),
    (lambda x: api.cnmlCreateUnpoolOp(x, x, x, api.cnmlCreateUnpoolOpParam(2, 2, 2, 2, 1)), Status.UNSUPPORT, "ROWWISE"),
    (lambda x: api.cnmlCreateNormalizeOp(api.cnmlCreateNormalizeOpParam(1, 0, 0, 1.0), x, x, None), Status.UNSUPPORT, "Euclidean"),
    (lambda x: api.cnmlCreateGrepOp(api.cnmlCreateGrepOpParam(0, 0, 0, 0.5), x, x), Status.UNSUPPORT, "space_number"),
    (lambda x: api.cnmlCreateCastOp(0, x, x), Status.BADTYPEID, "needs FLOAT32 and UINT8"),
    (lambda x: api.cnmlCreateLrnOp(api.cnmlCreateLrnOpParam(2, 4, 1, 1, 1), x, x), Status.INVALIDPARAM, "odd"),
    (lambda x: api.cnmlCreateLrnOp(api.cnmlCreateLrnOpParam(0, 0, 1, 1, 1), x, x), Status.INVALIDPARAM, "odd"),
    (lambda x: api.cnmlCreateImageDetectOp(api.cnmlCreateImageDetectOpParam(0, 0, 9, 9, 0, 0, 1), x, x, x, x), Status.INVALIDPARAM, "num_class 0"),
    (lambda x: api.cnmlCreateRoiAlignOp(api.cnmlCreateRoiAlignOpParam(2, 2, 1e30, 2), x, x, x), Status.INVALIDPARAM, "at most 1024"),
    (lambda x: api.cnmlCreateCustomizedActiveOp(abs, api.cnmlCreateCustomizedActiveOpParam(0, 1, 0, 10 ** 9), x, x), Status.INVALIDPARAM, "65536"),
    (lambda x: api.cnmlCreateProposalOp(api.cnmlCreateProposalOpParamV2(3, 4, 1, 9, 9, 1, 1, 2, 1, 0.5, 1, 8, [], 0, [1.0], 1), x, x, x),
     Status.INVALIDPARAM, "both must be given or none"),
])
def test_refused_by_the_check_and_the_compiler(library, make, status, words):
    op = make(tensor((1, 2, 3, 4)))
    refused(status, words, api.cnmlCheckBaseOpRunnable, op, 3)
    refused(status, words, api.cnmlCompileBaseOp, op, 3, 1)


def test_refused_at_run_time(library, rng):
    op, a, b, y = adder()
    x, target, queue = loaded(a, rng.standard_normal(a.shape)), api.cnmlMallocBuffer(y), cnrtCreateQueue()
    run = api.cnmlComputeAddOpForward_V3
    refused(Status.INVALIDARG, "not living memory", run, op, x, np.zeros(24, np.float32), target, None, queue)
    refused(Status.INVALIDARG, "not living memory", run, op, x, None, target, None, queue)
    refused(Status.OUTOFRANGE, "needs 96 bytes", run, op, x, api.cnmlMalloc(64), target, None, queue)
    refused(Status.INVALIDARG, "queue of that card", run, op, x, x, target, None, Queue(devices.get("host")))
    refused(Status.INVALIDARG, "parallelism 3", run, op, x, x, target, InvokeFuncParam(3), queue)
    refused(Status.INVALIDARG, "use cnmlComputeAddOpForward_V3", api.cnmlComputeSubOpForward_V3, op, x, x, target, None, queue)
    refused(Status.INVALIDARG, "call cnmlCompileBaseOp first", run, api.cnmlCreateAddOp(a, b, y), x, x, target, None, queue)
    refused(Status.BADTYPEID, "as CoreVersion", api.cnmlCompileBaseOp, op, 9, 1)
    refused(Status.INVALIDARG, "parallelism 5", api.cnmlCompileBaseOp, op, 3, 5)
    api.cnmlDestroyBaseOp(op)
    refused(Status.INVALIDARG, "it was destroyed", run, op, x, x, target, None, queue)


def test_memory_freed_under_a_run_is_told_by_the_queue(library, rng):
    op, a, b, y = adder()
    x, target, queue, gate = loaded(a, rng.standard_normal(a.shape)), api.cnmlMallocBuffer(y), cnrtCreateQueue(), threading.Event()
    queue.call(gate.wait)
    api.cnmlComputeAddOpForward_V3(op, x, x, target, None, queue)
    api.cnmlFreeBuffer(x)
    gate.set()
    with pytest.raises(CnrtError, match="freed"):
        cnrtSyncQueue(queue)


def test_bad_regions_are_told_by_the_queue(library, rng):
    x, rois, y = tensor((1, 2, 4, 4)), tensor((1, 5, 1, 1)), tensor((1, 2, 2, 2))
    op = api.cnmlCreateRoiPoolOp(api.cnmlCreateRoiPoolOpParam(2, 2, 1.0), x, rois, y)
    api.cnmlCompileBaseOp(op, 3, 1)
    queue = cnrtCreateQueue()
    given = loaded(x, np.zeros(x.shape)), loaded(rois, np.array([7, 0, 0, 1, 1], np.float32).reshape(1, 5, 1, 1))
    api.cnmlComputeRoiPoolOpForward_V3(op, *given, api.cnmlMallocBuffer(y), None, queue)
    with pytest.raises(CnrtError, match="name one of the 1 images"):
        cnrtSyncQueue(queue)


def test_lists_of_another_length(library):
    a, b, y = tensor((1, 1, 2, 2)), tensor((1, 2, 2, 2)), tensor((1, 3, 2, 2))
    op = api.cnmlCreateConcatOp(api.cnmlCreateConcatOpParam(2, 1, 0), [a, b], 2, [y], 1)
    api.cnmlCompileBaseOp(op, 3, 1)
    pointers, target = [api.cnmlMallocBuffer(a), api.cnmlMallocBuffer(b)], [api.cnmlMallocBuffer(y)]
    refused(Status.LENGTHERR, "1 pointers for 'inputs': it has 2", api.cnmlComputeConcatOpForward_V3, op, pointers[:1], 1, target, 1, None,
            cnrtCreateQueue())
    refused(Status.LENGTHERR, "2 pointers for 'inputs'", api.cnmlComputeConcatOpForward_V3, op, pointers, 3, target, 1, None, cnrtCreateQueue())


def test_parallel_slices_of_a_convolution(library):
    case = next(c for c in LAYERS if c.id == "ConvOp-plain")
    got, = run_device(case, parallel=2)
    for one in got:
        np.testing.assert_allclose(one, case.expected[0], rtol=1e-4, atol=1e-5)

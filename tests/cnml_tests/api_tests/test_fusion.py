from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import constant, conv_param, loaded, read, tensor

from cnml import api
from cnml.api.enums import ActiveFunction, DataType, SparseMode
from cnml.errors import Status
from cnml.reference.convolution import convolution
from cnrt.api import InvokeFuncParam, cnrtCreateQueue, cnrtSyncQueue


class Net:
    """Convolution, scale, ReLU, maximum and inner product as a chain, with its values by definition."""

    def __init__(self, rng, dtype=DataType.FLOAT32):
        self.w, self.b = rng.standard_normal((8, 3, 3, 3)) / 4, rng.standard_normal((1, 8, 1, 1))
        self.alpha, self.beta = rng.standard_normal((1, 8, 1, 1)), rng.standard_normal((1, 8, 1, 1))
        self.m, self.c = rng.standard_normal((5, 8, 4, 4)) / 10, rng.standard_normal((1, 5, 1, 1))
        self.x = tensor((1, 3, 8, 8), dtype)
        self.conv, self.scaled, self.relu = (tensor((1, 8, 8, 8), dtype) for _ in range(3))
        self.pool, self.y = tensor((1, 8, 4, 4), dtype), tensor((1, 5, 1, 1), dtype)

        def held(v):
            return constant(v, dtype)
        self.ops = [
            api.cnmlCreateConvOp(conv_param(pad=2), self.x, self.conv, held(self.w), held(self.b)),
            api.cnmlCreateScaleOp(self.conv, self.scaled, held(self.alpha), held(self.beta)),
            api.cnmlCreateActiveOp(ActiveFunction.RELU, self.scaled, self.relu),
            api.cnmlCreatePoolOp(api.cnmlCreatePoolOpParam(2, 2, 2, 2, 0, 0, 1, 1, 1, 0, True), self.relu, self.pool),
            api.cnmlCreateMlpOp(self.pool, self.y, held(self.m), held(self.c), SparseMode.NO_SPARSE)]
        self.fusion = api.cnmlCreateFusionOp()
        for op in self.ops:
            api.cnmlFuseOp(op, self.fusion)

    def expected(self, x):
        """(conv, relu, y)."""
        conv = convolution(x, self.w, self.b.reshape(8), (8, 8), (1, 1), (1, 1), (1, 1))
        relu = np.maximum(conv * self.alpha + self.beta, 0)
        pool = relu.reshape(len(x), 8, 4, 2, 4, 2).max(axis=(3, 5))
        return conv, relu, (pool.reshape(len(x), 128) @ self.m.reshape(5, 128).T + self.c.reshape(5)).reshape(len(x), 5, 1, 1)


@pytest.mark.parametrize("dtype, rtol", [(DataType.FLOAT32, 1e-4), (DataType.FLOAT16, 2e-2)])
def test_a_chain_is_one_program(library, rng, dtype, rtol):
    net = Net(rng, dtype)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    api.cnmlCompileFusionOp(net.fusion, 3, 1)
    kinds = [n.op.kind for n in net.fusion.program.executable.nodes]
    assert "Scale" not in kinds and "Relu" not in kinds, "both went into the convolution"
    x, queue, target = rng.standard_normal((1, 3, 8, 8)).astype(np.float32), cnrtCreateQueue(), api.cnmlMallocBuffer(net.y)
    api.cnmlComputeFusionOpForward_V3(net.fusion, [loaded(net.x, x)], 1, [target], 1, None, queue)
    cnrtSyncQueue(queue)
    want = net.expected(x)[2]
    np.testing.assert_allclose(read(net.y, target), want, rtol=rtol, atol=rtol * np.abs(want).max())
    assert api.cnmlGetFusionIOCount(net.fusion) == 2 and api.cnmlGetFusionOpRequiredStackSize(net.fusion) == 1
    total, shared, private = api.cnmlGetFusionMaxMemUsed(net.fusion)
    assert total == shared + private and shared > 0 < private


def test_values_in_between_can_be_outputs(library, rng):
    net = Net(rng)
    api.cnmlAddFusionInput(net.fusion, net.x)
    for t in (net.conv, net.relu, net.y):
        api.cnmlAddFusionOutput(net.fusion, t)
    api.cnmlCompileFusionOp(net.fusion, 3, 2)
    x, queue = rng.standard_normal((2, 1, 3, 8, 8)).astype(np.float32), cnrtCreateQueue()
    targets = [api.cnmlMallocBatchBuffer(t, 2) for t in (net.conv, net.relu, net.y)]
    api.cnmlComputeFusionOpForward_V3(net.fusion, [loaded(net.x, x, 2)], 1, targets, 3, InvokeFuncParam(2), queue)
    cnrtSyncQueue(queue)
    for t, target, want in zip((net.conv, net.relu, net.y), targets, net.expected(x[:, 0]), strict=True):
        np.testing.assert_allclose(read(t, target, 2)[:, 0], want, rtol=1e-4, atol=1e-4)


def test_an_operator_serves_alone_and_in_a_chain(library, rng):
    net = Net(rng)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    api.cnmlCompileFusionOp(net.fusion, 3, 1)
    api.cnmlCompileBaseOp(net.ops[0], 3, 1)
    x, queue, target = rng.standard_normal((1, 3, 8, 8)).astype(np.float32), cnrtCreateQueue(), api.cnmlMallocBuffer(net.conv)
    api.cnmlComputeConvOpForward_V3(net.ops[0], loaded(net.x, x), target, None, queue)
    cnrtSyncQueue(queue)
    np.testing.assert_allclose(read(net.conv, target), net.expected(x)[0], rtol=1e-4, atol=1e-4)


def test_refusals(library, rng):
    net = Net(rng)
    refused(Status.INVALIDARG, "it needs one of each", api.cnmlCompileFusionOp, net.fusion, 3, 1)
    refused(Status.LENGTHERR, "the numbers given are 2 and 1", api.cnmlSetFusionIO, net.fusion, [net.x], 2, [net.y], 1)
    stranger = tensor((1, 1, 1, 1))
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [stranger], 1)
    refused(Status.INVALIDARG, "no operator makes the output", api.cnmlCompileFusionOp, net.fusion, 3, 1)
    api.cnmlSetFusionIO(net.fusion, [stranger], 1, [net.y], 1)
    refused(Status.INVALIDARG, "is no input, no operator before it makes it", api.cnmlCompileFusionOp, net.fusion, 3, 1)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    queue, target = cnrtCreateQueue(), api.cnmlMallocBuffer(net.y)
    refused(Status.INVALIDARG, "call cnmlCompileFusionOp first", api.cnmlComputeFusionOpForward_V3, net.fusion, [], 0, [target], 1, None, queue)
    api.cnmlCompileFusionOp(net.fusion, 3, 1)
    refused(Status.LENGTHERR, "0 tensors: it has 1", api.cnmlComputeFusionOpForward_V3, net.fusion, [], 0, [target], 1, None, queue)
    refused(Status.LENGTHERR, "the numbers given", api.cnmlComputeFusionOpForward_V3, net.fusion, [], 1, [target], 1, None, queue)
    refused(Status.INVALIDARG, "compiled already", api.cnmlFuseOp, net.ops[0], net.fusion)
    api.cnmlDestroyFusionOp(net.fusion)
    refused(Status.INVALIDARG, "it was destroyed", api.cnmlGetFusionIOCount, net.fusion)


def test_threads_share_weights_and_have_values_of_their_own(library, rng):
    """Two handles of values: both runs are right, also while the other one is held up; weights are packed once and change for both."""
    net = Net(rng)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    api.cnmlEnableFusionOpInstConstSplit(net.fusion, True)
    api.cnmlCompileFusionOp(net.fusion, 3, 1)
    inst, const = api.cnmlInitFusionOpInstMemory(net.fusion, None), api.cnmlInitFusionOpConstMemory(net.fusion, None)
    values = [api.cnmlInitFusionOpIntmdMemory(net.fusion, None) for _ in range(2)]
    programs = [net.fusion.lanes[v] for v in values]
    assert programs[0] is not programs[1]
    packed = [{id(p) for n in program.executable.nodes for p in n.parameters} for program in programs]
    assert packed[0] == packed[1] == {id(p) for n in net.fusion.program.executable.nodes for p in n.parameters}
    queues, jobs = [cnrtCreateQueue() for _ in range(2)], []
    for i in range(8):
        x, target = rng.standard_normal((1, 3, 8, 8)).astype(np.float32), api.cnmlMallocBuffer(net.y)
        api.cnmlComputeFusionOpForwardExtra_V2(net.fusion, [loaded(net.x, x)], 1, [target], 1, None, queues[i % 2], inst, const, values[i % 2])
        jobs.append((x, target))
    for q in queues:
        cnrtSyncQueue(q)
    for x, target in jobs:
        np.testing.assert_allclose(read(net.y, target), net.expected(x)[2], rtol=1e-4, atol=1e-4)
    run = api.cnmlComputeFusionOpForwardExtra_V2
    refused(Status.INVALIDARG, "the handles must come from", run, net.fusion, [], 1, [], 1, None, queues[0], inst, const, inst)
    refused(Status.INVALIDARG, "the handles must come from", run, net.fusion, [], 1, [], 1, None, queues[0], values[0], const, values[1])
    refused(Status.INVALIDARG, "the handles must come from", run, net.fusion, [], 1, [], 1, None, queues[0], inst, None, values[1])
    refused(Status.LENGTHERR, "the numbers given", run, net.fusion, [], 1, [], 1, None, queues[0], inst, const, values[1])


def test_a_chain_that_was_not_made_for_it_is_not_split(library, rng):
    net = Net(rng)
    api.cnmlSetFusionIO(net.fusion, [net.x], 1, [net.y], 1)
    for kind in ("Inst", "Const", "Intmd"):
        refused(Status.INVALIDARG, "call cnmlCompileFusionOp first", getattr(api, f"cnmlInitFusionOp{kind}Memory"), net.fusion)
    api.cnmlCompileFusionOp(net.fusion, 3, 1)
    for kind in ("Inst", "Const", "Intmd"):
        refused(Status.INVALIDARG, "before it is compiled", getattr(api, f"cnmlInitFusionOp{kind}Memory"), net.fusion)
    refused(Status.INVALIDARG, "compiled already", api.cnmlEnableFusionOpInstConstSplit, net.fusion, True)

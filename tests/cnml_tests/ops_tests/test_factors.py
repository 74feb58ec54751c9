"""Scale, Bias, BatchNorm and PRelu: a factor that spans some axes."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters, run_graph

from cnml.broadcast import RUN, Bands, bands, repeated, repeats
from cnml.epilogue import Fold
from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.bias import Bias
from cnml.ops.prelu import PRelu
from cnml.ops.scale import Scale
from cnml.ops.unary import Unary
from cnml.tensor import Layout


@pytest.mark.parametrize("axis,span", [(0, 0), (0, 1), (0, 2), (1, 1), (1, 3), (2, 2), (3, 1), (0, 4), (1, 2)])
def test_scale_and_bias(axis, span, rng):
    x = rng.standard_normal((2, 6, 4, 5))
    factor, shift = (rng.standard_normal(x.shape[axis:axis + span]) for _ in range(2))
    check_operator(Scale(axis, span, False), [x], [factor])
    check_operator(Scale(axis, span, True), [x], [factor, shift])
    check_operator(Scale(axis, span, False), [x, factor])
    check_operator(Scale(axis, span, True), [x, factor], [shift])
    check_operator(Bias(axis, span), [x], [shift])
    check_operator(Bias(axis, span), [x, shift])


@pytest.mark.parametrize("shape", [(2, 6, 4, 5), (3, 6), (2, 6, 3, 2, 2), (1, 130, 3, 3), (1, 10, 13, 17)])
def test_per_channel(shape, rng):
    x, c = rng.standard_normal(shape), shape[1]
    check_operator(BatchNorm(1e-5, True), [x], [rng.standard_normal(c), rng.random(c), np.array([2.0])])
    check_operator(BatchNorm(1e-5, True), [x], [rng.standard_normal(c), rng.random(c), np.array([0.0])], rtol=1e-4)
    check_operator(PRelu(), [x], [rng.standard_normal(c)])
    check_operator(PRelu(), [x], [np.float32(0.3)])
    check_operator(Scale(1, 1, True), [x], [rng.standard_normal(c), rng.standard_normal(c)])


@pytest.mark.parametrize("op,params", [(Scale(1, 1, True), 2), (Scale(1, 1, False), 1), (Bias(1, 1), 1), (PRelu(), 1)])
def test_in_place(op, params, rng):
    x = rng.standard_normal((2, 7, 3, 5)).astype(np.float32)
    factors = [rng.standard_normal(7).astype(np.float32) for _ in range(params)]
    graph = Graph()
    source = graph.input(x.shape, "x")
    out = graph.add(op, graph.add(Unary("power", 1, 1, 0), [source]), parameters(*factors))
    np.testing.assert_allclose(run_graph(graph, {source: x}, out, 2, fusion=False)[0], op.reference([x], factors)[0], rtol=1e-5, atol=1e-6)


def test_batch_statistics_are_folded_in(rng):
    x = rng.standard_normal((4, 3, 5, 5)).astype(np.float32)
    op = BatchNorm(1e-5, False, 0.9)
    stored = parameters(np.ones(3, np.float32), np.ones(3, np.float32), np.ones(1, np.float32))
    graph = Graph()
    source = graph.input(x.shape, "x")
    y = run_graph(graph, {source: x}, graph.add(op, [source], stored))[0]
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1, atol=1e-3)
    np.testing.assert_allclose(stored[0].array, 0.9 + x.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(stored[1].array, 0.9 + x.var(axis=(0, 2, 3), ddof=1), rtol=1e-5)
    np.testing.assert_allclose(stored[2].array, 1.9, rtol=1e-6)
    assert op.mutates and op.host_reason and not BatchNorm(1e-5, True).mutates


def test_folds():
    assert BatchNorm(0.1, True).as_fold((1, 3, 2, 2), [(3,), (3,), (1,)]) == Fold("batch_norm", 3, 0.1)
    assert BatchNorm(0.1, False).as_fold((1, 3, 2, 2), [(3,), (3,), (1,)]) is None
    assert Scale(1, 1, True).as_fold((1, 3), [(3,), (3,)]) == Fold("scale", 2) and Scale(1, 2, False).as_fold((1, 3, 2), [(3, 2)]) is None
    assert Bias(1, 1).as_fold((1, 3), [(3,)]) == Fold("bias", 1) and Bias(0, 1).as_fold((1, 3), [(1,)]) is None


def test_bands():
    assert bands((2, 6, 4, 5), Layout.PLAIN, 1, 1) == Bands(1, 2, 6, 20) and bands((2, 6, 4, 5), Layout.NHWC, 1, 1) == Bands(1, 40, 6, 1)
    assert bands((2, 6, 4, 5), Layout.NHWC, 0, 2) == Bands(2, 20, 6, 1) and bands((2, 6, 4, 5), Layout.NHWC, 0, 1) == Bands(1, 1, 2, 120)
    short = bands((2, 6, 4, 5), Layout.NHWC, 1, 1)
    assert repeats(short) == -(-RUN // 6) and repeated(short, 3) == Bands(1, 14, 18, 1)
    assert repeats(bands((2, 6, 4, 5), Layout.PLAIN, 1, 1)) == 1 and repeated(short, 1) is short


@pytest.mark.parametrize("op,inputs,params,rule", [
    (Scale(1, 1, False), [(2, 3)], [(4,)], "must be equal"), (Scale(1, 1, True), [(2, 3)], [(3,)], "with bias_term a shift"),
    (Scale(1, 2, False), [(2, 3)], [(3, 1)], "only 2 axes"),
    (Scale(0, 1, False), [(2, 2)], [(2, 2)], "num_axes 1"), (Bias(1, 1), [(2, 3)], [], "one shift"), (Bias(0, 1), [(2, 2)], [(2, 2)], "num_axes 1"),
    (BatchNorm(1e-5, True), [(3,)], [(3,), (3,), (1,)], "2 axes"), (BatchNorm(1e-5, True), [(2, 3)], [(4,), (4,), (1,)], "one value a channel"),
    (PRelu(), [(3,)], [(3,)], "2 axes"), (PRelu(), [(2, 3)], [(4,)], "one for each of the 3")])
def test_refusals(op, inputs, params, rule):
    with pytest.raises(CnmlError, match=rule):
        op.reshape(inputs, params)

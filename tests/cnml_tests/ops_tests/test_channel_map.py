"""Affine steps and activations that element-wise operators take in."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters, run_graph

from cnml.epilogue import Activation, Fold
from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.bias import Bias
from cnml.ops.channel_map import ChannelMap
from cnml.ops.eltwise import Eltwise
from cnml.ops.scale import Scale
from cnml.ops.unary import Unary
from cnml.passes import run_passes

ACTIVATIONS = [Activation(), Activation("relu"), Activation("relu", 0.3), Activation("clip", -0.5, 1)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_matches_reference(activation, rng):
    steps = (Fold("batch_norm", 3, 1e-3), Fold("scale", 2), Fold("bias", 1))
    for shape in ((2, 6, 4, 5), (3, 6), (1, 6, 2, 3, 2)):
        params = [rng.standard_normal(6), rng.random(6), np.array([2.0]), *(rng.standard_normal(6) for _ in range(3))]
        check_operator(ChannelMap(steps, activation), [rng.standard_normal(shape)], params)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("op,inputs,params", [
    (BatchNorm(1e-5, True), 1, "mvf"), (BatchNorm(1e-5, False), 1, "mvf"), (Scale(1, 1, True), 1, "cc"), (Scale(1, 1, False), 1, "c"),
    (Eltwise("SUM"), 2, ""),
    (Eltwise("SUM", (1, 2, 0.5)), 3, ""), (Eltwise("SUM", (0, 2)), 2, ""), (Eltwise("MAX"), 2, ""), (Eltwise("PROD"), 3, "")])
def test_operators_with_an_activation(op, inputs, params, activation, rng):
    arrays = [np.array([2.0]) if p == "f" else rng.random(6) + 0.1 for p in params]
    check_operator(op.fused(activation=activation), [rng.standard_normal((2, 6, 4, 5)) for _ in range(inputs)], arrays)


def test_infinity_and_nan_in_a_sum():
    a, b = np.array([np.inf, -np.inf, np.nan, 1], np.float32), np.zeros(4, np.float32)
    graph = Graph()
    x, y = graph.input(a.shape, "a"), graph.input(b.shape, "b")
    for activation, want in ((Activation(), [np.inf, -np.inf, np.nan, 1]), (Activation("relu"), [np.inf, np.nan, np.nan, 1]),
                             (Activation("clip", 0, 6), [6, 0, 0, 1])):
        out = graph.add(Eltwise("SUM", activation=activation), [x, y])
        np.testing.assert_array_equal(run_graph(graph, {x: a, y: b}, out)[0], want)


def test_a_chain_becomes_one_pass(rng):
    """Pre-activation networks: the steps follow a join, so no convolution can take them."""
    graph = Graph()
    a, b = graph.input((2, 6, 4, 5), "a"), graph.input((2, 6, 4, 5), "b")
    out = graph.add(Eltwise("SUM", name="sum"), [a, b])
    out = graph.add(BatchNorm(1e-5, True, name="bn"), out, parameters(rng.standard_normal(6), rng.random(6), np.array([2.0])))
    out = graph.add(Scale(1, 1, True, "scale"), out, parameters(rng.standard_normal(6), rng.standard_normal(6)))
    out = graph.add(Bias(1, 1, "bias"), out, parameters(rng.standard_normal(6)))
    out = graph.add(Unary("relu", 0, name="relu"), out)
    assert [n.name for n in run_passes(graph, set(out)).nodes] == ["sum", "bn+scale+bias+relu"]
    values = {a: rng.standard_normal((2, 6, 4, 5)), b: rng.standard_normal((2, 6, 4, 5))}
    np.testing.assert_allclose(run_graph(graph, values, out)[0], run_graph(graph, values, out, fusion=False)[0], rtol=1e-5, atol=1e-5)


def test_a_residual_sum_takes_its_activation(rng):
    graph = Graph()
    a, b = graph.input((2, 6, 4, 5), "a"), graph.input((2, 6, 4, 5), "b")
    out = graph.add(Unary("relu", 0, name="relu"), graph.add(Eltwise("SUM", name="sum"), [a, b]))
    assert [n.name for n in run_passes(graph, set(out)).nodes] == ["sum+relu"]
    x, y = rng.standard_normal((2, 2, 6, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(run_graph(graph, {a: x, b: y}, out)[0], np.maximum(x + y, 0), rtol=1e-6)


def test_batch_statistics_take_no_folds():
    assert not BatchNorm(1e-5, False).takes_folds((1, 3)) and BatchNorm(1e-5, True).takes_folds((1, 3)) and ChannelMap(()).takes_folds((1, 3))
    assert not Scale(1, 1, True).takes_folds((1, 3)) and not Eltwise("SUM").takes_folds((1, 3))
    longer = ChannelMap((Fold("bias", 1),), name="a").fused(Fold("scale", 1), name="a+b").fused(activation=Activation("relu"))
    assert (longer.name, len(longer.folds), longer.activation.kind) == ("a+b", 2, "relu")


@pytest.mark.parametrize("shape,params,rule", [((3,), [(3,)], "2 axes"), ((2, 3), [], "steps take 1"), ((2, 3), [(4,)], "each of the 3 channels")])
def test_refusals(shape, params, rule):
    with pytest.raises(CnmlError, match=rule):
        ChannelMap((Fold("bias", 1),)).reshape([shape], params)

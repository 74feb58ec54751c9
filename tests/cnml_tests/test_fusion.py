"""Fusion changes nothing but the number of nodes."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph

from cnml.fusion import fuse
from cnml.graph import Graph
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.inner_product import InnerProduct
from cnml.ops.scale import Scale
from cnml.ops.unary import Unary


def chain(rng):
    graph = Graph()
    x = graph.input((2, 8, 6, 6), "x")
    w, b = rng.standard_normal((10, 8, 3, 3)), rng.standard_normal(10)
    c = graph.add(Convolution(ConvolutionGeometry(10, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), "conv"), [x], parameters(w, b))[0]
    n = graph.add(BatchNorm(1e-5, True, name="bn"), [c], parameters(rng.standard_normal(10), rng.uniform(0.5, 2, 10), np.array([2.0])))[0]
    s = graph.add(Scale(1, 1, True, name="scale"), [n], parameters(rng.standard_normal(10), rng.standard_normal(10)))[0]
    r = graph.add(Unary("relu", 0.1, name="relu"), [s])[0]
    return graph, x, (c, n, s, r)


def test_a_chain_becomes_one_node(rng):
    graph, x, (*_, r) = chain(rng)
    fused = fuse(graph, {r})
    assert [n.name for n in fused.nodes] == ["conv+bn+scale+relu"] and len(graph.nodes) == 4
    value = rng.standard_normal(x.shape).astype(np.float32)
    one = run_graph(graph, {x: value}, [r], fusion=True)[0]
    many = run_graph(graph, {x: value}, [r], fusion=False)[0]
    np.testing.assert_allclose(one, many, rtol=1e-4, atol=1e-4)


def test_a_retained_value_stays(rng):
    graph, x, (c, n, s, r) = chain(rng)
    assert [node.name for node in fuse(graph, {c, r}).nodes] == ["conv", "bn+scale+relu"]
    assert [node.name for node in fuse(graph, {s, r}).nodes] == ["conv+bn+scale", "relu"]
    value = rng.standard_normal(x.shape).astype(np.float32)
    for got, want in zip(run_graph(graph, {x: value}, [s, r]), run_graph(graph, {x: value}, [s, r], fusion=False), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_a_value_with_two_readers_stays(rng):
    graph, x, (c, *_, r) = chain(rng)
    other = graph.add(Unary("relu", 0.0, name="other"), [c])[0]
    assert [node.name for node in fuse(graph, {r, other}).nodes][0] == "conv"


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_inner_product_with_relu(rng, slope):
    graph = Graph()
    x = graph.input((3, 8), "x")
    y = graph.add(InnerProduct(20, name="ip"), [x], parameters(rng.standard_normal((20, 8)), rng.standard_normal(20)))[0]
    r = graph.add(Unary("relu", slope, name="relu"), [y])[0]
    assert len(fuse(graph, {r}).nodes) == 1
    value = rng.standard_normal((3, 8)).astype(np.float32)
    np.testing.assert_allclose(run_graph(graph, {x: value}, [r])[0], run_graph(graph, {x: value}, [r], fusion=False)[0], rtol=1e-4, atol=1e-5)

"""Element-wise functions: kernels against references, and Caffe's rules for NaN and infinity."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_graph, run_operator

from cnml.epilogue import Activation
from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.unary import FUNCTIONS, Unary

PARAMS = {"relu": (0.1,), "relu_limit": (0.1, 2), "clip": (-1, 2), "elu": (0.7,), "swish": (1.3,), "exp": (0.7, 1.5), "log": (2, 0.5, 1.3),
          "power": (2.5, 0.5, 3), "threshold": (0.3,)}
SPECIAL = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 88, -88, 100, -100, 1e-40, 1e38, -1e38], np.float32)
NAN, INF = np.nan, np.inf


def values(rng, n=1000):
    """Ordinary numbers, then the special ones."""
    return np.concatenate([rng.standard_normal(n) * 3, SPECIAL]).astype(np.float32)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_matches_reference(function, rng):
    with np.errstate(over="ignore"):
        check_operator(Unary(function, *PARAMS.get(function, ())), [values(rng)], rtol=3e-6, atol=1e-7)
    check_operator(Unary(function, *PARAMS.get(function, ())), [rng.standard_normal((2, 3, 5, 7))], rtol=3e-6, atol=1e-7)


@pytest.mark.parametrize("params", [(1, 2, 0), (1, 2, 1), (2, 1, 0), (0.5, 1, 0), (-1, 1, 0), (0, 1, 2), (3, 0, 2), (-2.5, 1, 0), (3, 1, 0)])
def test_power(params, rng):
    with np.errstate(over="ignore"):
        check_operator(Unary("power", *params), [values(rng)], atol=1e-7)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_place(function, rng):
    """The second of two equal operators overwrites its input."""
    x = values(rng)
    op = Unary(function, *PARAMS.get(function, ()))
    graph = Graph()
    source = graph.input(x.shape, "x")
    first = graph.add(Unary("power", 1, 1, 0, name="copy"), [source])
    out = graph.add(op, first)
    with np.errstate(all="ignore"):
        want = op.reference([x], [])[0].astype(np.float32)
    for cores in (1, 2):
        np.testing.assert_allclose(run_graph(graph, {source: x}, out, cores, fusion=False)[0], want, rtol=3e-6, atol=1e-7)


@pytest.mark.parametrize("op,x,want", [
    (Unary("relu", 0), [-INF, INF, NAN, -1, 2], [NAN, INF, NAN, 0, 2]),
    (Unary("clip", 0, 6), [-INF, INF, NAN, 7, 3], [0, 6, 0, 6, 3]),
    (Unary("relu_limit", 0.5, 2), [-4, 1, 3], [-2, 1, 2]),
    (Unary("power", 0, 1, 0), [NAN, 3], [1, 1]),
    (Unary("power", -1, 1, 0), [0.0, -0.0], [INF, -INF]),
    (Unary("sigmoid"), [-INF, INF, NAN, 0], [0, 1, NAN, 0.5]),
    (Unary("log", 1, 0, 1), [0, -1, 1, INF], [-INF, NAN, 0, INF]),
    (Unary("threshold", 1), [1, 1.5, NAN], [0, 1, 0]),
    (Unary("swish", 1), [-INF, 0], [NAN, 0]),
    (Unary("tanh"), [-INF, INF, 1e-20], [-1, 1, 1e-20]),
    (Unary("exp", 1, 1), [-INF, 89, -104, 0], [0, INF, 0, 1]),
])
def test_special_values(op, x, want):
    x = np.array(x, np.float32)
    np.testing.assert_allclose(run_operator(op, [x])[0], want, rtol=1e-6)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(op.reference([x], [])[0].astype(np.float32), want, rtol=1e-6)


def test_what_a_producer_can_apply():
    assert Unary("relu", 0.2).as_activation() == Activation("relu", 0.2) and Unary("clip", 0, 6).as_activation() == Activation("clip", 0, 6)
    assert Unary("tanh").as_activation() is None


def test_wrong_function_or_parameters():
    with pytest.raises(CnmlError, match="known functions: relu"):
        Unary("nope", name="a").reshape([(2,)], [])
    with pytest.raises(CnmlError, match="Relu 'a' with 2 parameters: 'relu' takes 1: slope"):
        Unary("relu", 1, 2, name="a").reshape([(2,)], [])

"""LSTM, LSTMUnit and RNN: kernels against references, states carried on."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters, run_graph

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.lstm import LSTM
from cnml.ops.lstm_unit import LSTMUnit
from cnml.ops.rnn import RNN


def cont(rng, t, n):
    """Continuation marks with some fractions."""
    return rng.choice([0.0, 1.0, 1.0, 0.5], (t, n))


@pytest.mark.parametrize("t,n,h", [(1, 1, 1), (4, 2, 3), (5, 3, 8), (3, 1, 37), (3, 19, 13)])
@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("exposed", [False, True])
def test_lstm(t, n, h, static, exposed, rng):
    inputs = [rng.standard_normal((t, n, 4 * h)), cont(rng, t, n)]
    inputs += [rng.standard_normal((n, 4 * h))] if static else []
    inputs += [rng.standard_normal((1, n, h)), rng.standard_normal((1, n, h))] if exposed else []
    w = rng.standard_normal((4 * h, h)) * 0.4
    state = [] if exposed else [rng.standard_normal((n, h)), rng.standard_normal((n, h))]
    check_operator(LSTM(static, exposed), inputs, [w, *state], rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("t,n,h", [(1, 1, 1), (4, 2, 3), (3, 3, 18), (3, 19, 50)])
@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("exposed", [False, True])
def test_rnn(t, n, h, static, exposed, rng):
    inputs = [rng.standard_normal((t, n, h)), cont(rng, t, n)]
    inputs += [rng.standard_normal((n, h))] if static else []
    inputs += [rng.standard_normal((1, n, h))] if exposed else []
    weights = [rng.standard_normal((h, h)) * 0.4, rng.standard_normal((h, h)) * 0.4, rng.standard_normal(h)]
    check_operator(RNN(static, exposed), inputs, weights + ([] if exposed else [rng.standard_normal((n, h))]), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("make,width", [(LSTM, 4), (RNN, 1)])
def test_state_is_carried_by_kernel_and_reference_alike(make, width, rng, monkeypatch):
    t, n, h = 3, 2, 4
    x, c = rng.standard_normal((t, n, width * h)).astype(np.float32), np.ones((t, n), np.float32)
    arrays = [rng.standard_normal((width * h, h)) * 0.4]
    arrays += [rng.standard_normal((h, h)), rng.standard_normal(h)] if make is RNN else []
    arrays += [np.zeros((n, h))] * (2 if make is LSTM else 1)
    results = []
    for backend in ("numba", "numpy"):
        monkeypatch.setenv("PYCAFFE_ACC_KERNELS", backend)
        params = parameters(*arrays)
        runs = []
        for _ in range(2):
            graph = Graph()
            a, b = graph.input(x.shape, "x"), graph.input(c.shape, "cont")
            runs += run_graph(graph, {a: x, b: c}, graph.add(make(), [a, b], params))
        results.append(runs)
    assert np.abs(results[0][0] - results[0][1]).max() > 1e-3
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-5)


def test_lstm_unit(rng):
    inputs = [rng.standard_normal((1, 5, 6)), rng.standard_normal((1, 5, 24)) * 3, np.array([[1, 0, 1, 0.5, 1]])]
    check_operator(LSTMUnit(), inputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shapes,words", [
    ([(1, 2, 3), (1, 2, 12), (1, 2, 1)], "two"),
    ([(2, 2, 3), (2, 2, 12), (2, 2)], "extent 1"),
    ([(1, 2, 3), (1, 3, 12), (1, 2)], "streams"),
    ([(1, 2, 3), (1, 2, 9), (1, 2)], "4 x 3"),
])
def test_lstm_unit_shapes(shapes, words):
    with pytest.raises(CnmlError, match=words):
        LSTMUnit("u").reshape(shapes, [])


def test_wrong_shapes():
    with pytest.raises(CnmlError, match="four gates"):
        LSTM().reshape([(2, 1, 9), (2, 1)], [(12, 3)])
    with pytest.raises(CnmlError, match="cont"):
        LSTM().reshape([(2, 1, 12), (2, 2)], [(12, 3)])
    with pytest.raises(CnmlError, match="initial state"):
        LSTM(exposed=True).reshape([(2, 1, 12), (2, 1), (1, 2, 3), (1, 1, 3)], [(12, 3)])
    with pytest.raises(CnmlError, match="cont"):
        RNN().reshape([(2, 1, 3), (2, 2)], [(3, 3)])
    with pytest.raises(CnmlError, match="initial state"):
        RNN(exposed=True).reshape([(2, 1, 3), (2, 1), (1, 2, 3)], [(3, 3)])


def test_macs():
    assert LSTM().macs([], [(2, 3, 5)]) == 2 * 3 * 4 * 25
    assert RNN().macs([], [(2, 3, 5)]) == 2 * 2 * 3 * 25

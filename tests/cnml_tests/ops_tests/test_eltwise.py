"""Element-wise sums, products and maxima."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_graph, run_operator

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.eltwise import Eltwise
from cnml.ops.unary import Unary


@pytest.mark.parametrize("operation,coeff", [("SUM", ()), ("SUM", (1, -2, 0.5)), ("SUM", (0, 1, 0)), ("SUM", (0, 0, 0)), ("PROD", ()), ("MAX", ())])
def test_matches_reference(operation, coeff, rng):
    xs = [rng.standard_normal((2, 3, 4, 5)).astype(np.float32) for _ in range(3)]
    for i, x in enumerate(xs):
        x[0, 0, i, 0] = np.nan
    check_operator(Eltwise(operation, coeff), xs)
    check_operator(Eltwise(operation, coeff[:2]), [rng.standard_normal(40) for _ in range(2)])


@pytest.mark.parametrize("operation", ["SUM", "PROD", "MAX"])
@pytest.mark.parametrize("first", [True, False])
def test_in_place(operation, first, rng):
    """One operand dies here and gives its memory to the result."""
    a, b = rng.standard_normal((2, 100)).astype(np.float32)
    graph = Graph()
    x, y = graph.input(a.shape, "a"), graph.input(b.shape, "b")
    dead = graph.add(Unary("power", 1, 2, 0), [x])
    op = Eltwise(operation)
    out = graph.add(op, [*dead, y] if first else [y, *dead])
    want = op.reference([2 * a, b] if first else [b, 2 * a], [])[0]
    np.testing.assert_allclose(run_graph(graph, {x: a, y: b}, out, 2, fusion=False)[0], want, rtol=1e-6)


def test_the_same_tensor_twice(rng):
    x = rng.standard_normal(50).astype(np.float32)
    graph = Graph()
    source = graph.input(x.shape, "x")
    out = graph.add(Eltwise("SUM", (2, 3)), [source, source])
    np.testing.assert_allclose(run_graph(graph, {source: x}, out)[0], 5 * x, rtol=1e-6)


def test_nan_in_a_maximum():
    a, b = np.array([np.nan, 1, 2], np.float32), np.array([1, np.nan, 3], np.float32)
    np.testing.assert_array_equal(run_operator(Eltwise("MAX"), [a, b])[0], [1, np.nan, 3])


@pytest.mark.parametrize("op,shapes,rule", [
    (Eltwise("SUM"), [(2,)], "at least 2"), (Eltwise("SUM"), [(2,), (3,)], "shape of the first"), (Eltwise("MIN"), [(2,)] * 2, "SUM, PROD or MAX"),
    (Eltwise("SUM", (1,)), [(2,)] * 2, "one for each"), (Eltwise("PROD", (1, 1)), [(2,)] * 2, "PROD takes none")])
def test_refusals(op, shapes, rule):
    with pytest.raises(CnmlError, match=rule):
        op.reshape(shapes, [])

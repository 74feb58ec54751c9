from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters, run_graph

from cnml.epilogue import Activation, Fold
from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.convolution import Convolution, ConvolutionGeometry

CASES = {
    "1x1": ((2, 20, 6, 7), 24, (1, 1), (1, 1), (0, 0), (1, 1), 1),
    "3x3": ((1, 16, 9, 9), 64, (3, 3), (1, 1), (1, 1), (1, 1), 1),
    "first": ((2, 3, 15, 15), 32, (7, 7), (2, 2), (3, 3), (1, 1), 1),
    "stride over kernel": ((1, 8, 11, 10), 5, (2, 2), (3, 3), (0, 0), (1, 1), 1),
    "dilated": ((1, 8, 12, 12), 17, (3, 3), (1, 1), (2, 2), (2, 2), 1),
    "grouped": ((2, 12, 8, 8), 18, (3, 3), (1, 1), (1, 1), (1, 1), 3),
    "depthwise": ((1, 20, 9, 8), 20, (3, 3), (2, 2), (1, 1), (1, 1), 20),
    "rectangular": ((1, 6, 9, 5), 7, (1, 3), (1, 2), (0, 1), (1, 1), 1),
    "one dimension": ((2, 4, 11), 6, (3,), (2,), (1,), (1,), 1),
    "three dimensions": ((1, 4, 5, 6, 7), 6, (3, 2, 2), (1, 1, 2), (1, 0, 1), (1, 1, 1), 2),
    "no spatial axes": ((3, 10), 4, (), (), (), (), 1),
}


def build(case: str, **kwargs):
    shape, outputs, kernel, stride, pad, dilation, group = CASES[case]
    op = Convolution(ConvolutionGeometry(outputs, kernel, stride, pad, pad, dilation, group), case, **kwargs)
    return op, shape, (outputs, shape[1] // group, *kernel)


@pytest.mark.parametrize("case", CASES)
def test_against_the_reference(rng, case):
    op, shape, weights = build(case)
    check_operator(op, [rng.standard_normal(shape)], [rng.standard_normal(weights), rng.standard_normal(op.geometry.num_output)], rtol=1e-4,
                   atol=1e-4)


@pytest.mark.parametrize("activation", [Activation("relu"), Activation("relu", 0.25), Activation("clip", 0.0, 1.5)])
def test_folds_and_activations(rng, activation):
    op, shape, weights = build("3x3", folds=(Fold("batch_norm", 3, 1e-5), Fold("scale", 2), Fold("bias", 1)), activation=activation)
    o = op.geometry.num_output
    params = [rng.standard_normal(weights), rng.standard_normal(o), rng.standard_normal(o), rng.uniform(0.5, 2, o), np.array([2.0]),
              rng.standard_normal(o), rng.standard_normal(o), rng.standard_normal(o)]
    check_operator(op, [rng.standard_normal(shape)], params, rtol=1e-4, atol=1e-4)


def test_uneven_padding(rng):
    op = Convolution(ConvolutionGeometry(5, (3, 3), (2, 2), (0, 1), (1, 2), (1, 1)), "uneven")
    check_operator(op, [rng.standard_normal((1, 4, 8, 8))], [rng.standard_normal((5, 4, 3, 3)), np.zeros(5)], rtol=1e-4, atol=1e-4)


def test_no_bias(rng):
    op = Convolution(ConvolutionGeometry(5, (3, 3), (1, 1), (0, 0), (0, 0), (1, 1), bias=False), "plain")
    check_operator(op, [rng.standard_normal((1, 4, 8, 8))], [rng.standard_normal((5, 4, 3, 3))], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("shape", "rule"), [((1, 3, 8, 8), "weights must have the shape"), ((1, 4, 8), "spatial axes"),
                                             ((1, 4, 0, 1), "must be positive")])
def test_refused(shape, rule):
    graph = Graph()
    x = graph.input(shape, "x")
    op = Convolution(ConvolutionGeometry(5, (3, 3), (1, 1), (0, 0), (0, 0), (1, 1)), "c")
    with pytest.raises(CnmlError, match=rule):
        graph.add(op, [x], parameters(np.zeros((5, 4, 3, 3)), np.zeros(5)))


def test_packing_is_shared(rng):
    op, shape, weights = build("3x3")
    graph = Graph()
    params = parameters(rng.standard_normal(weights), np.zeros(op.geometry.num_output))
    xs = [graph.input(shape, "a"), graph.input((3, *shape[1:]), "b")]
    ys = [graph.add(op, [x], params)[0] for x in xs]
    run_graph(graph, {x: np.ones(x.shape, np.float32) for x in xs}, ys)
    assert len(params[0]._packed) <= 2

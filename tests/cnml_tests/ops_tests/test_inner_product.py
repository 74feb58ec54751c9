from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters

from cnml.epilogue import Activation, Fold
from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.inner_product import InnerProduct


@pytest.mark.parametrize(("shape", "outputs", "axis"), [((1, 300), 70, 1), ((7, 33), 10, 1), ((2, 5, 3, 4), 65, 1), ((2, 3, 8), 5, 2),
                                                        ((2, 3, 8), 5, -3 + 3), ((4, 1, 1, 1), 1, 1)])
@pytest.mark.parametrize("transpose", [False, True])
def test_against_the_reference(rng, shape, outputs, axis, transpose):
    k = int(np.prod(shape[axis:]))
    op = InnerProduct(outputs, axis, True, transpose, "ip")
    check_operator(op, [rng.standard_normal(shape)], [rng.standard_normal((k, outputs) if transpose else (outputs, k)), rng.standard_normal(outputs)],
                   rtol=1e-4, atol=1e-4)


def test_no_bias_with_fold_and_activation(rng):
    op = InnerProduct(20, 1, False, False, "ip", (Fold("scale", 2),), Activation("relu", 0.1))
    check_operator(op, [rng.standard_normal((3, 40))], [rng.standard_normal((20, 40)), rng.standard_normal(20), rng.standard_normal(20)], rtol=1e-4,
                   atol=1e-4)


def test_another_input_size_is_refused():
    graph = Graph()
    with pytest.raises(CnmlError, match="needs other weights"):
        graph.add(InnerProduct(2, name="ip"), [graph.input((1, 9), "x")], parameters(np.zeros((2, 8)), np.zeros(2)))

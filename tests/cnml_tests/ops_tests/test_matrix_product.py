"""Products of two computed matrices."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.matrix_product import MatrixProduct


@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_through_a_graph(a, b, rng):
    left, right = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 5, 6))
    check_operator(MatrixProduct(a, b), [left.swapaxes(2, 3) if a else left, right.swapaxes(2, 3) if b else right], atol=1e-5)


def test_definition():
    a, b = np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6], [7, 8]])
    assert MatrixProduct().reference([a, b], [])[0].tolist() == [[19, 22], [43, 50]]
    assert MatrixProduct(True, False).reference([a, b], [])[0].tolist() == [[26, 30], [38, 44]]


@pytest.mark.parametrize("shapes", [[(2, 3), (4, 2)], [(2, 3, 4), (3, 4, 2)], [(3,), (3,)]])
def test_refusals(shapes):
    with pytest.raises(CnmlError):
        MatrixProduct().reshape(shapes, [])

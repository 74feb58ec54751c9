"""Functions without kernels: every one through a graph, definitions by hand, refusals."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator

from cnml.errors import CnmlError
from cnml.ops.elementwise import Elementwise
from cnml.reference.elementwise import FUNCTIONS

NUMBERS = {"fake_quantize": (0.25, 3)}


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_through_a_graph(function, rng):
    tensors = [rng.uniform(0.5, 4, (2, 3, 4, 5)) for _ in range(FUNCTIONS[function][1])]
    op = Elementwise(function, *NUMBERS.get(function, ()))
    check_operator(op, tensors)
    check_half(op, tensors)


@pytest.mark.parametrize("function, given, want", [
    ("rsqrt", [[4.0, 0.25]], [0.5, 2]), ("floor", [[1.5, -1.5]], [1, -2]), ("not", [[0.0, -2.0]], [1, 0]), ("divide", [[1.0, -1.0], [4.0, 0.0]],
                                                                                                        [0.25, -np.inf]),
    ("xor", [[0.0, 1.0, 2.0], [1.0, 0.0, 3.0]], [1, 1, 0]), ("less_equal", [[1.0, 2.0], [1.0, 1.0]], [1, 0]),
    ("choose", [[0.0, 5.0], [1.0, 2.0], [3.0, 4.0]], [3, 2]), ("maximum", [[1.0, np.nan], [0.0, 2.0]], [1, np.nan])])
def test_definitions(function, given, want):
    np.testing.assert_array_equal(Elementwise(function).reference([np.array(g) for g in given], [])[0], want)


def test_fake_quantization_by_hand():
    x = np.array([0.0, 0.124, 0.125, 0.375, -0.76, 100.0, -100.0])
    # units of a quarter, halves away from zero: 0 0 1 2 -3 …, held in 0..255 after adding 3
    np.testing.assert_array_equal(Elementwise("fake_quantize", 0.25, 3).reference([x], [])[0], [0, 0, 0.25, 0.5, -0.75, 63, -0.75])


def test_shapes():
    assert Elementwise("and").reshape([(2, 1, 5), (3, 1)], []) == [(2, 3, 5)]
    assert Elementwise("choose").reshape([(1,), (4,), (2, 1)], []) == [(2, 4)]
    for op, shapes in ((Elementwise("and"), [(2, 3), (2, 2)]), (Elementwise("sin"), [(2,), (2,)]), (Elementwise("sinh"), [(2,)])):
        with pytest.raises(CnmlError, match="failed to reshape Elementwise"):
            op.reshape(shapes, [])

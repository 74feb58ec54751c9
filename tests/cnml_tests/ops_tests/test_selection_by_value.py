"""Gathers, the largest elements, and what is not 0."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator

from cnml.errors import CnmlError
from cnml.ops.selection_by_value import Compress, Gather, Largest, NonzeroPositions


def test_through_a_graph(rng):
    x = rng.integers(-1, 2, (2, 3, 4, 5)).astype(np.float32)
    check_operator(NonzeroPositions(), [x])
    check_operator(Compress(), [x, rng.standard_normal(x.shape)])
    check_operator(Largest(2, 1), [rng.standard_normal(x.shape)])
    index = np.array([2, 0, 2], np.float32)
    check_operator(Gather(1), [rng.standard_normal(x.shape), index])
    check_half(Gather(1), [rng.standard_normal(x.shape), index])


def test_definitions():
    x = np.array([0.0, 5, 0, 7])
    positions, count = NonzeroPositions().reference([x], [])
    assert positions.tolist() == [1, 3, 0, 0] and count.item() == 2
    values, count = Compress().reference([np.array([1.0, 0, 0, 1]), x], [])
    assert values.tolist() == [0, 7, 0, 0] and count.item() == 2
    values, positions = Largest(3, 0).reference([np.array([1.0, 3, 3, 2])], [])
    assert values.tolist() == [3, 3, 2] and positions.tolist() == [1, 2, 3]
    assert Gather(0).reference([x, np.array([1.0, -1, 4, 3.9])], [])[0].tolist() == [5, 0, 0, 7], "zeros for an index outside"


@pytest.mark.parametrize("op, shapes", [(Compress(), [(2,), (3,)]), (Gather(2), [(2, 3), (1,)]), (Gather(0), [(0, 3), (1,)]), (Largest(4, 0), [(3,)]),
                                        (Largest(0, 0), [(3,)]), (Largest(1, 1), [(3,)])])
def test_refusals(op, shapes):
    with pytest.raises(CnmlError):
        op.reshape(shapes, [])


def test_shapes():
    assert Gather(1).reshape([(2, 3, 4), (2, 5)], []) == [(2, 10, 4)]
    assert NonzeroPositions().reshape([(2, 3)], []) == [(2, 3), (1, 1, 1, 1)]

"""Every n-th element of a range."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.strided_slice import StridedSlice


def test_through_a_graph(rng):
    check_operator(StridedSlice((0, 1, 0, -4), (2, 3, 99, -1), (1, 1, 3, 2)), [rng.standard_normal((2, 3, 7, 6))])


def test_definition():
    assert StridedSlice((1,), (6,), (2,)).reference([np.arange(8.0)], [])[0].tolist() == [1, 3, 5]


@pytest.mark.parametrize("numbers", [((0,), (4,), (0,)), ((0,), (4,), (-1,)), ((3,), (3,), (1,)), ((0, 0), (1, 1), (1, 1))])
def test_refusals(numbers):
    with pytest.raises(CnmlError):
        StridedSlice(*numbers).reshape([(4,)], [])

"""A function given by points."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.piecewise import Piecewise


def test_through_a_graph(rng):
    check_operator(Piecewise(-1, 1, [0.0, 2.0, 1.0], -3), [rng.standard_normal((2, 3, 4, 5))])


def test_definition():
    y, = Piecewise(0, 2, [0.0, 10.0, 4.0], -5).reference([np.array([-0.1, 0.0, 0.5, 1.0, 1.5, 2.0, 9.0])], [])
    assert y.tolist() == [-5, 0, 5, 10, 7, 4, 4]


@pytest.mark.parametrize("numbers", [(0, 0, [1, 2], 0), (1, 0, [1, 2], 0), (0, 1, [1], 0)])
def test_refusals(numbers):
    with pytest.raises(CnmlError):
        Piecewise(*numbers).reshape([(2,)], [])

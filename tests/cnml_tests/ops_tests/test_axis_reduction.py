"""One axis to one element."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator

from cnml.errors import CnmlError
from cnml.ops.axis_reduction import AxisPosition, AxisReduction


@pytest.mark.parametrize("axis", [0, 1, 3])
@pytest.mark.parametrize("function", ["max", "min", "sum", "mean", "norm"])
def test_through_a_graph(function, axis, rng):
    check_operator(AxisReduction(function, axis), [rng.standard_normal((2, 3, 4, 5))])
    check_half(AxisReduction(function, axis), [rng.standard_normal((2, 3, 4, 5))])


@pytest.mark.parametrize("function", ["max", "min"])
def test_positions_through_a_graph(function, rng):
    check_operator(AxisPosition(function, 2), [rng.standard_normal((2, 3, 40, 5))])


def test_definitions():
    x = np.array([[3.0, 4.0, 3.0]])
    assert AxisReduction("norm", 1).reference([x[:, :2]], [])[0].tolist() == [[5]]
    assert AxisPosition("min", 1).reference([x], [])[0].tolist() == [[0]], "the first of equal ones"
    assert AxisPosition("max", 1).reference([x], [])[0].tolist() == [[1]]


@pytest.mark.parametrize("op, shape", [(AxisReduction("max", 2), (2, 3)), (AxisReduction("median", 0), (2,)), (AxisReduction("sum", 0), (0, 2)),
                                       (AxisPosition("sum", 0), (2,)), (AxisPosition("max", -1), (2,))])
def test_refusals(op, shape):
    with pytest.raises(CnmlError):
        op.reshape([shape], [])

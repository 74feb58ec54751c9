"""The rank-constrained filter over time."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.svdf import Svdf


def test_through_a_graph(rng):
    for bias in ([], [rng.standard_normal(2)]):
        check_operator(Svdf(), [rng.standard_normal((3, 5)), rng.standard_normal((3, 4, 6))],
                       [rng.standard_normal((4, 5)), rng.standard_normal((4, 6)), *bias])


def test_two_steps_by_hand():
    feature, time, bias = np.array([[1.0], [10.0]]), np.array([[0.5, 1.0], [0.0, 2.0]]), np.array([100.0])
    y, state = Svdf().reference([np.array([[3.0]]), np.zeros((1, 2, 2))], [feature, time, bias])
    assert y.tolist() == [[100 + 3 + 60]] and state.tolist() == [[[0, 3], [0, 30]]]
    y, state = Svdf().reference([np.array([[4.0]]), state], [feature, time, bias])
    assert y.tolist() == [[100 + 1.5 + 4 + 80]] and state.tolist() == [[[3, 4], [30, 40]]]


@pytest.mark.parametrize("inputs, parameters", [([(3, 5), (3, 4, 6)], [(4, 4), (4, 6)]), ([(3, 5), (2, 4, 6)], [(4, 5), (4, 6)]),
                                                ([(3, 5), (3, 4, 6)], [(4, 5), (4, 6), (3,)]), ([(3, 5), (3, 4)], [(4, 5), (4, 6)])])
def test_refusals(inputs, parameters):
    with pytest.raises(CnmlError):
        Svdf().reshape(inputs, parameters)

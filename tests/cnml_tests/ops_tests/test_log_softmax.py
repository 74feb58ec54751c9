"""The logarithm of the softmax."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator

from cnml.errors import CnmlError
from cnml.ops.log_softmax import LogSoftmax


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_through_a_graph(axis, rng):
    check_operator(LogSoftmax(axis), [rng.standard_normal((2, 3, 4, 5))])
    check_half(LogSoftmax(axis), [rng.standard_normal((2, 3, 4, 5))])


def test_it_does_not_underflow():
    np.testing.assert_allclose(LogSoftmax(0).reference([np.array([0.0, 1000.0])], [])[0], [-1000, 0])


def test_refusals():
    for shape in ((2, 3), (2, 3, 0)):
        with pytest.raises(CnmlError):
            LogSoftmax(2).reshape([shape], [])

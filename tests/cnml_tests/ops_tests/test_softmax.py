"""Softmax: kernel against reference along every axis."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.softmax import Softmax

CASES = [((3, 1000), 1), ((2, 21, 5, 7), 1), ((2, 2, 37, 11), 1), ((2, 3, 4, 5), 2), ((2, 3, 4, 5), 3), ((4,), 0),
         ((2, 1, 3, 3), 1), ((2, 3, 4, 5, 6), 1),
         ((2, 3, 4, 5), 0),
         ((700, 21), 1), ((50, 17), 1), ((9, 16), 1), ((131, 33), 1), ((3, 70, 130), 1)]
CASES += [((lines, n), 1) for n in range(2, 9) for lines in (1, 7, 33)]


@pytest.mark.parametrize("shape,axis", CASES)
def test_matches_reference(shape, axis, rng):
    x = (rng.standard_normal(shape) * 5).astype(np.float32)
    check_operator(Softmax(axis), [x])
    x.flat[0], x.flat[-1] = -np.inf, -200
    check_operator(Softmax(axis), [x])
    x.flat[0], x.flat[-1] = np.nan, np.inf
    check_operator(Softmax(axis), [x])


def test_large_scores_do_not_overflow():
    y = run_operator(Softmax(0), [np.array([1000, 1001, -1000], np.float32)])[0]
    np.testing.assert_allclose(y, [1 / (1 + np.e), np.e / (1 + np.e), 0], rtol=1e-6)


def test_refuses_a_missing_axis():
    with pytest.raises(CnmlError, match="axis 2"):
        Softmax(2).reshape([(1, 4)], [])

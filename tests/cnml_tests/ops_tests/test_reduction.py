"""Reduction: kernel against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.reduction import OPERATIONS, Reduction


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_matches_reference(operation, axis, rng):
    check_operator(Reduction(axis, operation, 1.5), [rng.standard_normal((3, 4, 5, 7))], rtol=1e-5, atol=1e-5)


def test_scalar_and_one_axis(rng):
    check_operator(Reduction(0, "SUM", 1.0), [rng.standard_normal(11)])
    check_operator(Reduction(0, "MEAN", 2.0), [rng.standard_normal(())])


def test_long_row_keeps_precision():
    x = np.full((1, 3_000_000), 0.1, np.float32)
    got = run_operator(Reduction(1, "SUM"), [x])[0]
    assert abs(got[0] / (3e6 * float(np.float32(0.1))) - 1) < 1e-6


def test_unknown_operation():
    with pytest.raises(CnmlError, match="operation 'MAX'"):
        Reduction(0, "MAX").reshape([(2, 2)], [])


def test_nan_spreads():
    x = np.ones((2, 3), np.float32)
    x[1, 1] = np.nan
    np.testing.assert_array_equal(run_operator(Reduction(1, "ASUM"), [x])[0], [3, np.nan])

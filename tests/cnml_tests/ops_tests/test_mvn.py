"""MVN: kernel against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.mvn import MVN


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("variance", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 2, 40, 41), (3, 6), (2, 3, 7)])
def test_matches_reference(shape, across, variance, rng):
    check_operator(MVN(across, variance, 1e-9), [rng.standard_normal(shape) * 3 + 5], rtol=2e-5, atol=2e-5)


def test_constant_rows_become_zero():
    check_operator(MVN(False, True, 1e-9), [np.full((2, 2, 3, 3), 4.25)])


def test_eps_is_outside_the_root(rng):
    x = rng.standard_normal((1, 1, 2, 8)).astype(np.float32)
    want = (x - x.mean()) / (x.std() + 0.5)
    check = MVN(False, True, 0.5).reference([x], [])[0]
    np.testing.assert_allclose(check, want, rtol=1e-5)
    check_operator(MVN(False, True, 0.5), [x], rtol=1e-5)


def test_five_axes_are_refused():
    with pytest.raises(CnmlError, match="at most four axes"):
        MVN().reshape([(1, 2, 3, 4, 5)], [])

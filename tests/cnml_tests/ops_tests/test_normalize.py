"""Normalize: kernels against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.normalize import Normalize


@pytest.mark.parametrize("scales", [1, 6])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("shape", [(2, 6, 20, 17), (3, 6), (1, 6, 2, 1)])
def test_matches_reference(shape, across, scales, rng):
    check_operator(Normalize(across), [rng.standard_normal(shape)], [rng.standard_normal(scales)])


def test_large_eps_and_zero_image(rng):
    check_operator(Normalize(False, 0.5), [rng.standard_normal((2, 6, 5, 4))], [np.array(20.0)])
    check_operator(Normalize(True, 1e-10), [np.zeros((1, 2, 3, 4))], [np.ones(2)])


def test_length_is_the_scale():
    y = Normalize(False).reference([np.array([[3.0, 4.0]])], [np.array([10.0])])[0]
    np.testing.assert_allclose(y, [[6, 8]])


def test_refuses():
    with pytest.raises(CnmlError, match="channel axis"):
        Normalize(True).reshape([(4,)], [(1,)])
    with pytest.raises(CnmlError, match="one scale"):
        Normalize(True).reshape([(1, 4)], [(3,)])

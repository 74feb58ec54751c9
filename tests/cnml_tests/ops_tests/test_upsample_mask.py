"""UpsampleMask: kernel against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.upsample import UpsampleMask


@pytest.mark.parametrize("shape", [(2, 3, 3, 4), (1, 1, 3, 4), (1, 16, 3, 4)])
def test_matches_reference(shape, rng):
    """Also with positions outside and with several values for one position."""
    check_operator(UpsampleMask(6, 8), [rng.standard_normal(shape), rng.integers(-2, 50, shape)], rtol=0, atol=0)


def test_values_return_to_where_the_maximum_was():
    x, mask = np.array([[[[5.0, 7.0]]]], np.float32), np.array([[[[1, 6]]]], np.float32)
    y = UpsampleMask(2, 4).reference([x, mask], [])[0]
    np.testing.assert_array_equal(y[0, 0], [[0, 5, 0, 0], [0, 0, 7, 0]])


def test_refuses():
    with pytest.raises(CnmlError, match="same four axes"):
        UpsampleMask(2, 2).reshape([(1, 2, 1, 1), (1, 2, 2, 1)], [])
    with pytest.raises(CnmlError, match="positive"):
        UpsampleMask(0, 2).reshape([(1, 2, 1, 1), (1, 2, 1, 1)], [])

"""BatchReindex and Filter."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.batch_reindex import BatchReindex
from cnml.ops.filter import Filter


def test_reindex(rng):
    x = rng.standard_normal((3, 2, 2, 2))
    check_operator(BatchReindex(), [x, np.array([2, 0, 0, 1, 2.9])], rtol=0, atol=0)


def test_reindex_out_of_range():
    with pytest.raises(CnmlError, match=r"'b'.*index 1 is 3.*0\.\.2"):
        run_operator(BatchReindex("b"), [np.zeros((3, 2), np.float32), np.array([0, 3], np.float32)])
    with pytest.raises(CnmlError, match="one axis"):
        BatchReindex().reshape([(3, 2), (2, 1)], [])


def test_filter_keeps_what_is_not_zero(rng):
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((4, 2, 2))
    got = Filter().reference([a, b, np.array([0, 1, -2, 0.0])], [])
    np.testing.assert_array_equal(got[0], a[1:3])
    np.testing.assert_array_equal(got[1], b[1:3])
    assert Filter().reference([a, np.zeros((4, 1, 1))], [])[0].shape == (0, 3)


def test_filter_shapes():
    assert Filter().reshape([(4, 3), (4, 1)], []) == [(4, 3)]
    with pytest.raises(CnmlError, match="extent 1"):
        Filter().reshape([(4, 3), (4, 2)], [])
    with pytest.raises(CnmlError, match="same number of items"):
        Filter().reshape([(4, 3), (5,)], [])

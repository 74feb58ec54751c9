"""Embed: kernel against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.embed import Embed


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 3, 2, 2), ()])
def test_matches_reference(shape, bias, rng):
    table = rng.standard_normal((9, 5))
    check_operator(Embed(bias), [rng.integers(0, 9, shape)], [table, rng.standard_normal(5)] if bias else [table])


def test_fractions_are_truncated(rng):
    check_operator(Embed(False), [np.array([0.9, 2.5, -0.5])], [rng.standard_normal((3, 4))])


def test_outside_gives_nan_not_foreign_memory(rng):
    x = np.array([3, -1, 1, np.nan, np.inf, 1e30], np.float32)
    table = rng.standard_normal((3, 4)).astype(np.float32)
    got = run_operator(Embed(False), [x], [table])[0]
    assert np.isnan(got[[0, 1, 3, 4, 5]]).all()
    np.testing.assert_array_equal(got[2], table[1])
    check_operator(Embed(False), [x], [table])


def test_table_rank():
    with pytest.raises(CnmlError, match="two axes"):
        Embed().reshape([(2,)], [(3,)])

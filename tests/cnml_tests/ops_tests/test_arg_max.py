"""ArgMax: kernels against reference and against Caffe's order of equals."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.arg_max import ArgMax


def distinct(rng, shape):
    """Values without ties."""
    return rng.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32) - 11


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, 3])
def test_matches_reference(axis, k, values, rng):
    for make in (distinct, lambda r, s: r.integers(0, 3, s)):
        check_operator(ArgMax(k, axis, values), [make(rng, (3, 5, 4, 7))], rtol=0, atol=0)


def test_wide_rows(rng):
    check_operator(ArgMax(1, 1), [rng.integers(0, 4, (2, 6, 300))], rtol=0, atol=0)
    check_operator(ArgMax(1, 1, True), [rng.standard_normal((1, 6, 20, 40))], rtol=0, atol=0)


def test_long_k_sorts_on_the_host(rng):
    check_operator(ArgMax(100, None, True), [rng.integers(0, 9, (2, 200))], rtol=0, atol=0)


def test_nan_and_infinity(rng):
    """A NaN is passed over unless it comes first; of equal infinities the last wins."""
    x = rng.standard_normal((7, 40)).astype(np.float32)
    x[0, 5], x[1, [3, 30]], x[2, 0], x[4], x[5] = np.nan, np.inf, np.nan, -np.inf, np.nan
    got = run_operator(ArgMax(1, 1), [x])[0].reshape(-1)
    clean = np.where(np.isnan(x), -np.inf, x)
    want = 39 - clean[:, ::-1].argmax(1)
    want[[2, 5]] = 0
    np.testing.assert_array_equal(got, want)


def test_largest_index_wins():
    x = np.array([[1, 5, 5, 0]], np.float32)
    assert run_operator(ArgMax(1), [x])[0].reshape(-1) == [2]
    np.testing.assert_array_equal(run_operator(ArgMax(3), [x])[0].reshape(-1), [2, 1, 0])


@pytest.mark.parametrize("shape,want", [((2, 3), (2, 1, 2)), ((2, 3, 4, 5), (2, 1, 2, 1)), ((2, 2, 2, 2, 2), (2, 1, 2, 1, 1))])
def test_shape_without_axis(shape, want):
    assert ArgMax(2).reshape([shape], []) == [want]


def test_one_axis():
    x = np.array([3, 1, 2], np.float32)
    assert ArgMax(1).reshape([x.shape], []) == [(3, 1, 1)]
    check_operator(ArgMax(1), [x], rtol=0, atol=0)


def test_k_too_large():
    with pytest.raises(CnmlError, match="top_k 4"):
        ArgMax(4, 1).reshape([(2, 3)], [])

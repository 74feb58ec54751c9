"""Convolution and pooling over length, height and width."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.convolution3d import Convolution3d, Pooling3d, Window3d
from cnml.reference.convolution3d import convolution3d, pooling3d


def test_convolution_matches_a_direct_sum(rng):
    x, w, b = rng.standard_normal((2, 3, 4, 5, 6)), rng.standard_normal((2, 3, 2, 3, 3)), rng.standard_normal(2)
    y = convolution3d(x, w, b, (1, 2, 2), (1, 1, 0))
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0)])
    assert y.shape == (2, 2, 5, 3, 2)
    for at in np.ndindex(y.shape):
        n, o, i, j, k = at
        part = padded[n, :, i:i + 2, 2 * j:2 * j + 3, 2 * k:2 * k + 3]
        assert y[at] == pytest.approx((part * w[o]).sum() + b[o], rel=1e-4, abs=1e-4)


def test_operators_run(rng):
    x = rng.standard_normal((1, 2, 4, 6, 7))
    check_operator(Convolution3d(Window3d((1, 2, 2))), [x], [rng.standard_normal((2, 2, 1, 2, 2))])
    for method in ("MAX", "AVE"):
        check_operator(Pooling3d(method, Window3d((2, 2, 2), (2, 2, 2))), [x])


def test_pooling_counts_padding_but_nothing_beyond():
    y = pooling3d(np.ones((1, 1, 1, 4, 4)), "AVE", (1, 3, 3), (1, 2, 2), (0, 1, 1))
    # the last window begins at 3, reaches to 6, and counts 3 and the padding 4
    np.testing.assert_allclose(y[0, 0, 0], np.outer([2 / 3, 1, 1 / 2], [2 / 3, 1, 1 / 2]))


def test_macs():
    assert Convolution3d(Window3d((1, 2, 2))).macs([(1, 3, 2, 4, 4)], [(1, 5, 2, 3, 3)]) == 5 * 2 * 9 * 3 * 4


@pytest.mark.parametrize(("op", "shape", "blobs"), [
    (Convolution3d(Window3d((1, 2, 2))), (1, 2, 4, 4), [(2, 2, 1, 2, 2)]), (Convolution3d(Window3d((1, 2, 2))), (1, 2, 4, 4, 4), [(2, 3, 1, 2, 2)]),
    (Convolution3d(Window3d((5, 2, 2))), (1, 2, 4, 4, 4), [(2, 2, 5, 2, 2)]),
    (Convolution3d(Window3d((1, 2, 2))), (1, 2, 4, 4, 4), [(2, 2, 1, 2, 2), (3,)]),
    (Pooling3d("MAX", Window3d((2, 2, 2))), (1, 2, 3), []), (Pooling3d("STOCHASTIC", Window3d((2, 2, 2))), (1, 2, 3, 3, 3), [])])
def test_bad_numbers_are_refused(op, shape, blobs):
    with pytest.raises(CnmlError):
        op.reshape([shape], blobs)

"""Local response normalisation: kernels against reference and formula."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.lrn import Lrn


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9, 11])
@pytest.mark.parametrize("beta", [0.75, 0.5, 1, 0.6])
def test_across_channels(size, beta, rng):
    for channels in (1, 3, 16, 37, 64):
        check_operator(Lrn("ACROSS_CHANNELS", size, 0.3, beta, 2), [rng.standard_normal((2, channels, 3, 4)) * 3])


@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize("beta", [0.75, 0.4])
def test_within_channel(size, beta, rng):
    for channels in (1, 5, 16, 23, 48):
        for extent in ((5, 4), (9, 11)):
            check_operator(Lrn("WITHIN_CHANNEL", size, 0.3, beta), [rng.standard_normal((2, channels, *extent)) * 3])


def test_formula():
    x = np.array([1, 2, 3], np.float32).reshape(1, 3, 1, 1)
    y = Lrn("ACROSS_CHANNELS", 3, 0.6, 0.75, 2).reference([x], [])[0].reshape(-1)
    np.testing.assert_allclose(y, [v * (2 + 0.2 * s) ** -0.75 for v, s in ((1, 5), (2, 14), (3, 13))])
    one = np.full((1, 1, 1, 1), 3, np.float32)
    assert Lrn("WITHIN_CHANNEL", 3, 0.9, 1, k=5).reference([one], [])[0].item() == pytest.approx(3 / (1 + 0.1 * 9))


def test_huge_values_vanish():
    """The sum of squares overflows; its power is 0 and not NaN."""
    x = np.full((1, 16, 1, 1), 1e20, np.float32)
    check_operator(Lrn("ACROSS_CHANNELS", 5, 1, 0.75, 1), [x], atol=1e-4)


@pytest.mark.parametrize("op,shape,rule",
                         [(Lrn("ACROSS_CHANNELS", 4, 1, 1), (1, 2, 3, 3), "odd"), (Lrn("AROUND", 3, 1, 1), (1, 2, 3, 3), "ACROSS_CHANNELS or"),
                                           (Lrn("WITHIN_CHANNEL", 3, 1, 1), (2, 3), "4 axes")])
def test_refusals(op, shape, rule):
    with pytest.raises(CnmlError, match=rule):
        op.reshape([shape], [])

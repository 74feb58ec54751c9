from __future__ import annotations

import numpy as np
import pytest

from cnml.ukernels.winograd_points import PAIRS, input_transform, output_transform, weight_transform


@pytest.mark.parametrize("m", PAIRS)
def test_the_transforms_make_a_correlation(rng, m):
    a, b, g = output_transform(m), input_transform(m), weight_transform(m)
    d, w = rng.standard_normal((m + 2, m + 2)), rng.standard_normal((3, 3))
    want = [[np.sum(d[y:y + 3, x:x + 3] * w) for x in range(m)] for y in range(m)]
    np.testing.assert_allclose(a @ ((g @ w @ g.T) * (b @ d @ b.T)) @ a.T, want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("m", PAIRS)
def test_points_of_a_pair_differ_in_sign(m):
    assert len(PAIRS[m]) == m // 2
    assert all(p > 0 for p in PAIRS[m])

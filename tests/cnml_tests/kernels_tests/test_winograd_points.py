from __future__ import annotations

import numpy as np
import pytest

from cnml.kernels.winograd_tiles import FORMS
from cnml.ukernels.winograd_points import PAIRS, input_transform, output_transform, weight_transform


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.tag)
def test_the_transforms_make_a_correlation(rng, form):
    d, w = rng.standard_normal(form.size), rng.standard_normal((form.ry, form.rx))
    v = input_transform(form.size[0]) @ d @ input_transform(form.size[1]).T
    u = weight_transform(form.my, form.ry) @ w @ weight_transform(form.mx, form.rx).T
    want = [[np.sum(d[y:y + form.ry, x:x + form.rx] * w) for x in range(form.mx)] for y in range(form.my)]
    got = output_transform(form.my, form.ry) @ (u * v) @ output_transform(form.mx, form.rx).T
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-11)


@pytest.mark.parametrize("t", PAIRS)
def test_points_are_pairs_of_both_signs(t):
    assert len(PAIRS[t]) == max(t - 2, 0) // 2
    assert all(p > 0 for p in PAIRS[t])

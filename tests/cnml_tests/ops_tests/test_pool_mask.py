"""Maximum pooling with indices: kernel against reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.ops.pool import Pool


@pytest.mark.parametrize("shape", [(2, 3, 7, 8), (1, 16, 6, 6)])
@pytest.mark.parametrize(("kernel", "stride", "pad"), [((2, 2), (2, 2), (0, 0)), ((3, 3), (2, 2), (1, 1)), ((3, 2), (1, 3), (0, 1)),
                                                       (None, (1, 1), (0, 0))])
def test_matches_reference(shape, kernel, stride, pad, rng):
    check_operator(Pool("MAX", kernel, stride, pad, mask=True), [rng.standard_normal(shape)], rtol=0, atol=0)


def test_ties_and_values_that_are_no_numbers(rng):
    x = rng.integers(0, 2, (1, 3, 6, 6)).astype(np.float32)
    x[0, 1, 0, 0], x[0, 2, 2:4, 2:4] = np.nan, -np.inf
    check_operator(Pool("MAX", (2, 2), (2, 2), mask=True), [x], rtol=0, atol=0)

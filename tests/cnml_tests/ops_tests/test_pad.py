"""Pad: kernel against reference."""
from __future__ import annotations

import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.pad import Pad


@pytest.mark.parametrize(("before", "after"), [((0, 0, 1, 2), (0, 0, 2, 1)), ((0, 1, -1, -2), (1, 0, 2, -1)), ((0, 0, -1, -1), (0, 0, -1, -1)),
                                               ((1, 1, 1, 5), (0, 0, 0, -4)),
                                           ((0, 0, 0, -5), (0, 0, 0, 4))])
def test_four_axes(before, after, rng):
    check_operator(Pad(before, after, 0.5), [rng.standard_normal((2, 3, 4, 5))], rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (2, 3, 2, 3, 2), (2, 1, 2, 1, 2, 3)])
def test_other_numbers_of_axes(shape, rng):
    check_operator(Pad((1,) * len(shape), (2,) * len(shape)), [rng.standard_normal(shape)], rtol=0, atol=0)


def test_refuses():
    with pytest.raises(CnmlError, match="one a side"):
        Pad((1,), (1,)).reshape([(2, 3)], [])
    with pytest.raises(CnmlError, match="cut off"):
        Pad((-2,), (-2,)).reshape([(3,)], [])
